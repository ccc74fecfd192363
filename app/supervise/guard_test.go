package supervise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// roleVariable turns this test binary into the child that is guarded, or into
// the parent that guards.
const (
	roleVariable  = "SUPERVISE_TEST_ROLE"
	diaryVariable = "SUPERVISE_TEST_DIARY"
	// A program built with the race detector waits a second before it ends.
	quickRace = "GORACE=atexit_sleep_ms=0"
)

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "parent":
		playParent()
	default:
		playChild(role)
	}
}

// playParent guards a child until it is killed.
func playParent() {
	err := Guard(context.Background(), Options{
		Command: []string{os.Args[0]},
		Env:     []string{roleVariable + "=lives", quickRace},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// playChild is the agent in small: it writes into a diary what happens to it
// and beats. Its role says how it ends.
func playChild(role string) {
	heart := Listen()
	restarts, lastEnd := heart.Restarts()
	write("start", fmt.Sprintf("%d %s", restarts, lastEnd))
	stop := make(chan os.Signal, 1)
	notifyStop(stop)
	if role == "mute" {
		select {}
	}
	if code, isCode := strings.CutPrefix(role, "exit "); isCode {
		number, _ := strconv.Atoi(code)
		os.Exit(number)
	}
	if role == "leaves" || role == "leaves but hangs" {
		heart.Stopping()
		if role == "leaves" {
			os.Exit(0)
		}
		select {}
	}
	fmt.Println("hello from the child")
	lost := false
	for {
		select {
		case how := <-stop:
			if role == "stubborn" {
				continue
			}
			write("stopped", how.String())
			os.Exit(0)
		case <-heart.StopAsked():
			write("stopped", "asked")
			os.Exit(0)
		case <-time.After(20 * time.Millisecond):
			heart.Beat()
		}
		if who := heart.Guardian().Who; who == Nobody && !lost {
			lost = true
			write("alone", strconv.Itoa(os.Getppid()))
		}
	}
}

// write adds one line to the diary: who, when, what.
func write(what, detail string) {
	diary, err := os.OpenFile(os.Getenv(diaryVariable), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer diary.Close()
	fmt.Fprintf(diary, "%d %d %s %s\n", os.Getpid(), time.Now().UnixNano(), what, detail)
}

// entry is one line of the diary.
type entry struct {
	pid          int
	at           time.Time
	what, detail string
}

func read(t *testing.T, diary string) []entry {
	t.Helper()
	file, err := os.Open(diary)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var entries []entry
	for lines := bufio.NewScanner(file); lines.Scan(); {
		words := strings.SplitN(lines.Text(), " ", 4)
		if len(words) < 4 {
			continue // half a line, still being written
		}
		pid, _ := strconv.Atoi(words[0])
		nanoseconds, _ := strconv.ParseInt(words[1], 10, 64)
		entries = append(entries, entry{pid, time.Unix(0, nanoseconds), words[2], words[3]})
	}
	return entries
}

// await reads the diary until the nth entry of a kind stands there.
func await(t *testing.T, diary, what string, nth int) entry {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		found := 0
		for _, e := range read(t, diary) {
			if e.what == what {
				if found++; found == nth {
					return e
				}
			}
		}
	}
	t.Fatalf("the diary never said %q for time %d:\n%v", what, nth, read(t, diary))
	return entry{}
}

// guardInTest starts Guard over a child with this role.
func guardInTest(t *testing.T, role string, options Options) (diary string, result <-chan error, cancel context.CancelFunc) {
	t.Helper()
	diary = filepath.Join(t.TempDir(), "diary")
	options.Command = []string{os.Args[0]}
	options.Env = append(options.Env, roleVariable+"="+role, diaryVariable+"="+diary, quickRace)
	options.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Guard(ctx, options) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(15 * time.Second):
			t.Error("the guard did not end when its context was done")
		}
	})
	passed := make(chan error, 1)
	go func() {
		err := <-ended
		passed <- err
		ended <- err
	}()
	return diary, passed, cancel
}

func outcome(t *testing.T, result <-chan error) error {
	t.Helper()
	select {
	case err := <-result:
		return err
	case <-time.After(15 * time.Second):
		t.Fatal("the guard did not end")
		return nil
	}
}

func TestAKilledChildIsBackAtOnce(t *testing.T) {
	diary, _, _ := guardInTest(t, "lives", Options{})
	first := await(t, diary, "start", 1)
	if first.detail != "0 " {
		t.Errorf("the first child was told %q about a life before", first.detail)
	}
	struck := time.Now()
	kill(t, first.pid)
	second := await(t, diary, "start", 2)
	back := second.at.Sub(struck)
	t.Logf("back after %v", back.Round(time.Millisecond))
	if back > 2*time.Second {
		t.Errorf("the child was back only after %v", back)
	}
	if !strings.HasPrefix(second.detail, "1 "+killed) {
		t.Errorf("the second child was told %q about the life before", second.detail)
	}
}

func TestAChildThatNeverBeatsIsReplaced(t *testing.T) {
	diary, _, _ := guardInTest(t, "mute", Options{FirstBeat: 300 * time.Millisecond, StopTimeout: 300 * time.Millisecond})
	first, second := await(t, diary, "start", 1), await(t, diary, "start", 2)
	if took := second.at.Sub(first.at); took < 200*time.Millisecond || took > 5*time.Second {
		t.Errorf("replaced after %v, with 300 ms allowed to the first beat", took)
	}
	if second.detail != "1 hung" {
		t.Errorf("the second child was told %q about the life before", second.detail)
	}
}

func TestAChildThatDiesAtOnceIsStartedAgainWithPauses(t *testing.T) {
	diary, _, _ := guardInTest(t, "exit 2", Options{})
	first, fourth := await(t, diary, "start", 1), await(t, diary, "start", 4)
	if took := fourth.at.Sub(first.at); took < 700*time.Millisecond {
		t.Errorf("three restarts took only %v; a broken program must not spin", took)
	}
	var longest time.Duration
	for quick := range 1000 {
		longest = max(longest, pauseBefore(quick))
	}
	if pauseBefore(0) != 0 || longest != 3*time.Second {
		t.Errorf("the first pause is %v and the longest %v, want 0 and 3 s", pauseBefore(0), longest)
	}
}

func TestCodesThatEndTheGuard(t *testing.T) {
	t.Run("zero, as it had said", func(t *testing.T) {
		diary, result, _ := guardInTest(t, "leaves", Options{})
		if err := outcome(t, result); err != nil {
			t.Error(err)
		}
		if starts := len(read(t, diary)); starts != 1 {
			t.Errorf("the child was started %d times", starts)
		}
	})
	t.Run("hung after its goodbye", func(t *testing.T) {
		diary, result, _ := guardInTest(t, "leaves but hangs", Options{FirstBeat: 300 * time.Millisecond})
		if err := outcome(t, result); err != nil {
			t.Error(err)
		}
		if starts := len(read(t, diary)); starts != 1 {
			t.Errorf("the child was started %d times", starts)
		}
	})
	t.Run("zero without a word ends nothing", func(t *testing.T) {
		diary, _, _ := guardInTest(t, "exit 0", Options{})
		if again := await(t, diary, "start", 2); again.detail != "1 ended with code 0" {
			t.Errorf("the second child was told %q about the life before", again.detail)
		}
	})
	t.Run("final", func(t *testing.T) {
		diary, result, _ := guardInTest(t, "exit 78", Options{})
		var final *FinalError
		if err := outcome(t, result); !errors.As(err, &final) || final.Code != Final {
			t.Errorf("got %v, want a FinalError of code %d", err, Final)
		}
		if starts := len(read(t, diary)); starts != 1 {
			t.Errorf("the child was started %d times", starts)
		}
	})
	t.Run("chosen", func(t *testing.T) {
		_, result, _ := guardInTest(t, "exit 5", Options{FinalCodes: []int{4, 5}})
		var final *FinalError
		if err := outcome(t, result); !errors.As(err, &final) || final.Code != 5 {
			t.Errorf("got %v, want a FinalError of code 5", err)
		}
	})
}

func TestAProgramThatIsNotThere(t *testing.T) {
	err := Guard(t.Context(), Options{Command: []string{filepath.Join(t.TempDir(), "nothing")}})
	if err == nil || !errors.Is(err, os.ErrNotExist) && !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if err := Guard(t.Context(), Options{}); err == nil {
		t.Error("guarding nothing went well")
	}
}

func TestAskedToEndTheChildEndsFirst(t *testing.T) {
	diary, result, cancel := guardInTest(t, "lives", Options{})
	await(t, diary, "start", 1)
	time.Sleep(100 * time.Millisecond) // until it listens for signals
	cancel()
	if err := outcome(t, result); err != nil {
		t.Error(err)
	}
	await(t, diary, "stopped", 1)
	if starts := len(read(t, diary)); starts != 2 {
		t.Errorf("the diary has %d lines, want a start and a stop: %v", starts, read(t, diary))
	}
}

func TestAChildThatWillNotEndIsKilled(t *testing.T) {
	diary, result, cancel := guardInTest(t, "stubborn", Options{StopTimeout: 300 * time.Millisecond})
	await(t, diary, "start", 1)
	time.Sleep(100 * time.Millisecond)
	cancel()
	if err := outcome(t, result); err != nil {
		t.Error(err)
	}
}

func TestOtherOutputIsPassedOn(t *testing.T) {
	heard := make(lineWriter, 16)
	guardInTest(t, "lives", Options{Output: heard})
	select {
	case line := <-heard:
		if line != "hello from the child\n" {
			t.Errorf("passed on %q", line)
		}
	case <-time.After(10 * time.Second):
		t.Error("nothing was passed on")
	}
}

type lineWriter chan string

func (w lineWriter) Write(text []byte) (int, error) {
	select {
	case w <- string(text):
	default:
	}
	return len(text), nil
}

func TestPatienceForgivesSleep(t *testing.T) {
	start := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	p := newPatience(second(0), 10*time.Second)
	for n := 1; n < 10; n++ {
		if p.over(second(n)) {
			t.Fatalf("over after %d s of 10", n)
		}
	}
	if p.over(second(3600)) {
		t.Fatal("an hour asleep was taken for a hang")
	}
	for n := 3601; n < 3610; n++ {
		if p.over(second(n)) {
			t.Fatalf("over %d s after waking, with 10 allowed", n-3600)
		}
	}
	if !p.over(second(3610)) {
		t.Fatal("not over after 10 s of silence with both awake")
	}
	p.begin(second(3610), 10*time.Second)
	if p.over(second(3611)) {
		t.Fatal("over right after a beat")
	}
}
