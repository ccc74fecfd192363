package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/app/control"
)

// paper is written on by several goroutines and read by the test meanwhile.
type paper struct {
	mutex   sync.Mutex
	written bytes.Buffer
}

func (p *paper) Write(text []byte) (int, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.written.Write(text)
}

func (p *paper) String() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.written.String()
}

// until waits until something is written.
func (p *paper) until(t *testing.T, part string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(p.String(), part) {
			return
		}
	}
	t.Fatalf("it never says %q:\n%s", part, p)
}

// demo is a demonstration that goes on, in front of a fake agent.
type demo struct {
	desk     *desk
	agent    *fakeAgent
	out      *paper
	keys     chan byte
	restored int
	options  AgentOptions
	ended    chan int
}

// play begins one; without a terminal there are no keys to read.
func play(t *testing.T, terminal bool, lasts time.Duration, args ...string) *demo {
	t.Helper()
	agent := &fakeAgent{}
	d := &demo{desk: newDesk(t, agent), agent: agent, out: &paper{}, keys: make(chan byte), ended: make(chan int, 1)}
	d.desk.Out, d.desk.Terminal = d.out, terminal
	d.desk.Keys = func() (<-chan byte, func(), error) { return d.keys, func() { d.restored++ }, nil }
	d.desk.Demo = func(ctx context.Context, o AgentOptions, tell func(context.Context, *control.Client, time.Duration)) error {
		d.options = o
		client, err := d.desk.Dial()
		if err == nil {
			tell(ctx, client, lasts)
		}
		return err
	}
	ctx, end := context.WithCancel(t.Context())
	over := make(chan struct{})
	t.Cleanup(func() { end(); <-over })
	go func() {
		defer close(over)
		d.ended <- Run(ctx, d.desk.Program, append([]string{"demo"}, args...))
	}()
	d.out.until(t, "A short night begins")
	return d
}

func (d *demo) press(t *testing.T, key byte) {
	t.Helper()
	select {
	case d.keys <- key:
	case <-time.After(5 * time.Second):
		t.Fatalf("nobody reads the key %q", key)
	}
}

// end waits until it has ended and returns its exit code.
func (d *demo) end(t *testing.T) int {
	t.Helper()
	select {
	case code := <-d.ended:
		return code
	case <-time.After(5 * time.Second):
		t.Fatal("it goes on")
		return 0
	}
}

func entry(seconds int, kind, text string) control.Entry {
	return control.Entry{At: night.Add(time.Duration(seconds) * time.Second).UTC(), Epoch: 1, Kind: kind, Text: text}
}

func TestTheKeysOfTheDemonstration(t *testing.T) {
	d := play(t, true, 2*time.Minute, "--no-tray")
	d.out.until(t, "Space answers what rings, H hushes it for a minute, Q ends the")
	if want := (AgentOptions{NoTray: true}); d.options != want {
		t.Errorf("the agent is started as %+v", d.options)
	}
	d.press(t, ' ')
	d.out.until(t, "Nothing rings that could be answered.")
	d.press(t, 'h')
	d.out.until(t, "Nothing rings, so there was nothing to hush.")
	for _, key := range []byte("xyz\r\n\x00H") {
		d.press(t, key)
	}
	if told := d.agent.wasTold(t, 3); !slices.Equal(told, []string{"ack --all", "hush", "hush"}) {
		t.Errorf("the agent was told %q", told)
	}
	d.press(t, 'q')
	if code := d.end(t); code != 0 || d.restored != 1 {
		t.Errorf("Q ends it with %d; the terminal was given back %d times", code, d.restored)
	}
	if strings.Contains(strings.ReplaceAll(d.out.String(), "\r\n", ""), "\n") {
		t.Errorf("a line does not begin at the left while keys are read one by one: %q", d.out)
	}
}

func TestCtrlCEndsTheDemonstrationAsQDoes(t *testing.T) {
	for _, key := range []byte{3, 'Q'} {
		d := play(t, true, 2*time.Minute)
		d.press(t, key)
		if code := d.end(t); code != 0 || d.restored != 1 {
			t.Errorf("%q ends it with %d; the terminal was given back %d times", key, code, d.restored)
		}
	}
}

func TestWithoutATerminalTheStoryIsTold(t *testing.T) {
	t.Setenv("NIGHTSTAND_HOME", "/tmp/a-night")
	d := play(t, false, -overAfter, "--no-window") // it is over at once
	d.out.until(t, "Ctrl-C ends the demonstration.")
	d.out.until(t, "/tmp/a-night")
	d.agent.happens(entry(0, "paged", "Paged: Orders database is losing writes"))
	d.out.until(t, "Paged: Orders database is losing writes.")
	d.out.until(t, "That was the night.")
	if !d.options.NoWindow || d.restored != 0 || strings.Contains(d.out.String(), "Space answers") {
		t.Errorf("with %+v it says\n%s", d.options, d.out)
	}
	safe(t, d.out.String())
}

func TestATerminalWhoseKeysCannotBeRead(t *testing.T) {
	d := newDesk(t, &fakeAgent{})
	d.Terminal = true
	d.Keys = func() (<-chan byte, func(), error) { return nil, nil, errors.New("it is no terminal") }
	d.Demo = func(ctx context.Context, _ AgentOptions, tell func(context.Context, *control.Client, time.Duration)) error {
		client, err := d.Dial()
		short, end := context.WithTimeout(ctx, 50*time.Millisecond)
		defer end()
		tell(short, client, time.Minute)
		return err
	}
	if code := d.run(t, "demo"); code != 0 || !strings.Contains(d.out.String(), "Ctrl-C ends the demonstration.") {
		t.Errorf("it ends with %d and says\n%s", code, &d.out)
	}
}

func TestADemonstrationThatCannotBegin(t *testing.T) {
	d := newDesk(t, nil)
	d.Demo = func(context.Context, AgentOptions, func(context.Context, *control.Client, time.Duration)) error {
		return errors.New("no folder could be made for it")
	}
	if code := d.run(t, "demo"); code != 1 || !strings.Contains(d.err.String(), "No folder could be made for it.") {
		t.Errorf("it ends with %d and says %q", code, &d.err)
	}
}

// told is a story in front of a fake agent.
func told(t *testing.T) (*fakeAgent, func() []string) {
	agent := &fakeAgent{}
	client, err := newDesk(t, agent).Dial()
	if err != nil {
		t.Fatal(err)
	}
	story := newStory(client)
	return agent, func() []string { return story.news(t.Context(), night) }
}

func TestTheStoryTellsEverythingOnce(t *testing.T) {
	agent, news := told(t)
	must := func(want ...string) {
		t.Helper()
		if got := news(); !slices.Equal(got, want) {
			t.Errorf("it tells %q, want %q", got, want)
		}
	}
	must()
	agent.happens(entry(0, "paged", "Paged: Orders database is losing writes"), entry(1, "siren_playing", "The siren sounds"))
	must("03:10:00  Paged: Orders database is losing writes.", "03:10:01  The siren sounds.")
	must()
	agent.happens(entry(2, "siren_step", "louder"), entry(2, "signal", "sound: ok."))
	must()
	agent.happens(entry(3, "confirmed", "Acknowledged by you"), entry(3, "confirmed", "Acknowledged by you"))
	must("03:10:03  Acknowledged by you.", "03:10:03  Acknowledged by you.")
	must()
}

func TestAStormIsToldAsOneAlarm(t *testing.T) {
	agent, news := told(t)
	for number := range 12 {
		agent.happens(entry(number, "paged", fmt.Sprintf("Paged: web-%02d", number)))
	}
	agent.happens(entry(12, "answer_pressed", "You pressed Acknowledge."))
	want := []string{"03:10:00  Paged: web-00.", "03:10:01  Paged: web-01.", "03:10:02  Paged: web-02.", "03:10:12  You pressed Acknowledge.", "… and 9 more pages, all one alarm."}
	if got := news(); !slices.Equal(got, want) {
		t.Errorf("it tells %q, want %q", got, want)
	}
	for number := range 4 {
		agent.happens(entry(20+number, "paged", "Paged: again"))
	}
	if got := news(); len(got) != 4 || got[3] != "… and 1 more page, all one alarm." {
		t.Errorf("four more are told as %q", got)
	}
}

// The agent hands out only the newest entries; the story must not fall silent
// when there are more.
func TestALongNightIsToldToItsEnd(t *testing.T) {
	agent, news := told(t)
	lines := 0
	for number := range 1300 {
		agent.happens(entry(number, "note", fmt.Sprintf("note %d", number)))
		if number%130 == 129 {
			lines += len(news())
		}
	}
	if got := news(); lines != 1300 || len(got) != 0 {
		t.Errorf("of 1300 entries %d were told, and then %q", lines, got)
	}
}

// What comes with a page cannot steer the terminal.
func TestTheStoryIsSafeToPrint(t *testing.T) {
	d := play(t, true, time.Minute)
	d.agent.happens(entry(0, "paged", "Paged: \x1b[2J\x1b]0;evil\x07Disk \u202efull "+strings.Repeat("long ", 60)))
	d.out.until(t, "Paged: Disk full long")
	d.press(t, 'q')
	d.end(t)
	safe(t, strings.ReplaceAll(d.out.String(), "\r\n", "\n"))
}

// Each command says what it does and what it does not prove.
func TestHelpOfTheNewCommands(t *testing.T) {
	d := newDesk(t, nil)
	for command, parts := range map[string][]string{
		"window --help": {"Usage: nightstand window", "would I be woken?", "alarm (comes by itself when a page rings)"},
		"drill --help":  {"Usage: nightstand drill", "--in=0s", "that proves the sound up to the output, not the air behind it", "ends with 1 where nothing was played or nobody answered", "--json"},
		"demo --help":   {"Usage: nightstand demo", "home that is thrown away", "it rings", "--no-tray", "--no-window"},
	} {
		if code := d.run(t, strings.Fields(command)...); code != 0 || d.err.Len() != 0 {
			t.Errorf("%s ends with %d and says %q", command, code, &d.err)
		}
		read := strings.Join(strings.Fields(d.out.String()), " ")
		for _, part := range parts {
			if !strings.Contains(read, part) {
				t.Errorf("%s does not say %q:\n%s", command, part, &d.out)
			}
		}
		safe(t, d.out.String())
	}
}
