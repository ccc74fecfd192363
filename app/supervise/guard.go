// Package supervise sees to it that somebody starts the agent again when it
// dies: a small guarding parent (Guard), the agent's own sign of life (Heart),
// and the registration with the system's supervisor (Install).
package supervise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Final is the exit code of an agent that must not be started again: another
// one has this home already, or it was called wrongly. It is not 2, because
// that is how the Go runtime ends after a panic, and a panic wants a restart.
const Final = 78

// What the parent tells the child in its environment.
const (
	guardedVariable  = "NIGHTSTAND_GUARDED"
	restartsVariable = "NIGHTSTAND_RESTARTS"
	lastEndVariable  = "NIGHTSTAND_LAST_END"
	beatLine         = "beat"
	stopLine         = "stop"
	hereLine         = "here"
	goodbyeLine      = "goodbye"
	defaultBeat      = 10 * time.Second
	defaultFirstBeat = 15 * time.Second
	defaultStopping  = 10 * time.Second
	longestPause     = 3 * time.Second
	lastWords        = time.Second
	hereEvery        = 4 * time.Second
	livedLongEnough  = 30 * time.Second
	startIsOver      = 10 * time.Second
)

// Options say whom Guard watches and how patiently.
type Options struct {
	// Command is the program and its arguments, usually our own executable
	// and "agent".
	Command []string
	// Env is added to the environment of this process ("NAME=value").
	Env []string
	// BeatTimeout is how long the child may be silent; zero means 10 s.
	BeatTimeout time.Duration
	// FirstBeat is how long it may take from its start to its first beat;
	// zero means 15 s.
	FirstBeat time.Duration
	// StopTimeout is how long the child may take to end when it was asked to,
	// before it is killed; zero means 10 s.
	StopTimeout time.Duration
	// FinalCodes are the exit codes after which the child is not started
	// again; nil means Final alone. Code 0 ends the guard if the child said
	// that it is stopping: Windows has programs that kill with code 0.
	FinalCodes []int
	// Output receives what the child prints on standard output besides its
	// beats; nil means our own standard output.
	Output io.Writer
	// Errors is the child's standard error. It is a file, so that the child
	// can still write to it after our death; nil means our own.
	Errors *os.File
	// Log is where restarts are written; nil means the default logger.
	Log *slog.Logger
}

// FinalError says that the child ended with a code that forbids a restart.
type FinalError struct{ Code int }

func (e *FinalError) Error() string {
	return fmt.Sprintf("the agent ended with code %d and asked not to be started again", e.Code)
}

// ExitCode hands the child's code on, so that no supervisor starts us again.
func (e *FinalError) ExitCode() int { return e.Code }

// Guard runs the command and starts it again whenever it dies or stops giving
// its beat. It returns nil when the child ended with code 0 as it had said, or
// because ctx was done or a signal asked this process to end; a *FinalError
// for a final code; and any other error when the command cannot be started at
// all the first time. Interrupt, terminate and hang-up signals to this process
// are handed to the child while Guard runs.
func Guard(ctx context.Context, options Options) error {
	if len(options.Command) == 0 {
		return errors.New("there is no command to guard")
	}
	guard := newGuard(options)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	quick, lastEnd := 0, ""
	for restarts := 0; ; restarts++ {
		began := time.Now()
		end, err := guard.watch(ctx, signals, restarts, lastEnd)
		switch {
		case err != nil && restarts == 0:
			return fmt.Errorf("the agent could not be started: %w", err)
		case err != nil:
			// An update may be replacing the program at this moment.
			end = ending{how: "could not be started"}
			guard.log.Error("the agent could not be started again", "error", err)
		case end.asked:
			return nil
		case end.final:
			return &FinalError{Code: end.code}
		case end.wished:
			return nil
		}
		if time.Since(began) >= livedLongEnough {
			quick = 0
		}
		pause := pauseBefore(quick)
		quick++
		lastEnd = end.how
		guard.log.Warn("the agent ended unexpectedly and is started again", "how", end.how, "pause", pause)
		select {
		case <-time.After(pause):
		case <-signals:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// pauseBefore is the wait before the next start, after so many children in a
// row that did not live long: none the first time, never more than 3 s.
func pauseBefore(quick int) time.Duration {
	if quick == 0 {
		return 0
	}
	return min(longestPause, 250*time.Millisecond<<min(quick-1, 6))
}

type guard struct {
	Options
	log *slog.Logger
}

func newGuard(options Options) *guard {
	g := &guard{Options: options, log: options.Log}
	if g.log == nil {
		g.log = slog.Default()
	}
	if g.BeatTimeout == 0 {
		g.BeatTimeout = defaultBeat
	}
	if g.FirstBeat == 0 {
		g.FirstBeat = defaultFirstBeat
	}
	if g.StopTimeout == 0 {
		g.StopTimeout = defaultStopping
	}
	if g.FinalCodes == nil {
		g.FinalCodes = []int{Final}
	}
	if g.Output == nil {
		g.Output = os.Stdout
	}
	if g.Errors == nil {
		g.Errors = os.Stderr
	}
	return g
}

// ending is how one child's life went out.
type ending struct {
	code   int
	how    string // "crashed", "hung", …: for the log and for the next child
	asked  bool   // we had asked it to end
	wished bool   // it said that it is stopping, and ended well or had to be helped
	final  bool
}

// watch runs one child to its end.
func (g *guard) watch(ctx context.Context, signals <-chan os.Signal, restarts int, lastEnd string) (ending, error) {
	child := exec.Command(g.Command[0], g.Command[1:]...)
	child.Env = append(withoutNotify(os.Environ()), g.Env...)
	child.Env = append(child.Env,
		guardedVariable+"=1",
		restartsVariable+"="+strconv.Itoa(restarts),
		lastEndVariable+"="+lastEnd)
	child.Stderr = g.Errors
	child.SysProcAttr = apart()
	// Here the child reads that we are still there, our death, and a wish to
	// stop on systems that know no signals.
	leash, err := child.StdinPipe()
	if err != nil {
		return ending{}, err
	}
	voice, err := child.StdoutPipe()
	if err != nil {
		return ending{}, err
	}
	if err := child.Start(); err != nil {
		return ending{}, err
	}
	Frugal()
	lean := time.AfterFunc(startIsOver, BecomeSmall)
	defer lean.Stop()
	beats := make(chan struct{}, 1)
	goodbye := make(chan bool, 1)
	go func() { goodbye <- g.listen(voice, beats) }()
	ended := make(chan death, 1)
	go func() {
		// Not child.Wait, which would close the pipe on words still in it.
		var d death
		d.state, d.err = child.Process.Wait()
		select {
		case d.goodbye = <-goodbye:
		case <-time.After(lastWords): // a program it started holds the pipe open
		}
		leash.Close()
		voice.Close()
		ended <- d
	}()

	wait := newPatience(time.Now(), g.FirstBeat)
	ticker := time.NewTicker(g.lookEvery())
	defer ticker.Stop()
	here := time.NewTicker(hereEvery)
	defer here.Stop()
	sayHere(leash)
	var asked, hung bool
	ask := func(how os.Signal) {
		if !asked {
			asked = true
			wait.begin(time.Now(), g.StopTimeout)
		}
		askToStop(child.Process, leash, how)
	}
	done := ctx.Done()
	for {
		select {
		case <-beats:
			if !asked {
				wait.begin(time.Now(), g.BeatTimeout)
			}
		case now := <-ticker.C:
			if hung || !wait.over(now) {
				continue
			}
			hung = true
			if asked {
				g.log.Error("the agent did not end when it was asked to and is killed", "pid", child.Process.Pid)
			} else {
				g.log.Error("the agent gives no sign of life and is killed", "pid", child.Process.Pid)
			}
			if err := child.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				g.log.Error("the agent could not be killed", "error", err)
				hung = false
			}
		case <-here.C:
			sayHere(leash)
		case how := <-signals:
			ask(how)
		case <-done:
			done = nil
			ask(syscall.SIGTERM)
		case d := <-ended:
			return g.judge(d, asked, hung), nil
		}
	}
}

// sayHere tells the child that it is guarded. A child that reads nothing would
// have to hang for a day before the pipe is full, and it is killed long before.
func sayHere(leash io.Writer) {
	// If the child has just ended there is nobody to tell, and Wait says so.
	_, _ = io.WriteString(leash, hereLine+"\n")
}

// lookEvery is fine enough to keep the promised times, and coarse enough to
// cost nothing.
func (g *guard) lookEvery() time.Duration {
	return min(time.Second, max(10*time.Millisecond, min(g.BeatTimeout, g.FirstBeat, g.StopTimeout)/4))
}

// death is what is known of a child that is no more.
type death struct {
	state   *os.ProcessState
	err     error
	goodbye bool
}

func (g *guard) judge(d death, asked, hung bool) ending {
	if d.state == nil {
		return ending{code: -1, asked: asked, how: "was lost: " + d.err.Error()}
	}
	code := d.state.ExitCode()
	end := ending{code: code, asked: asked, wished: d.goodbye && (hung || code == 0), final: !hung && slices.Contains(g.FinalCodes, code)}
	switch {
	case hung:
		end.code, end.how = -1, "hung"
	case code >= 0:
		end.how = "ended with code " + strconv.Itoa(code)
	default:
		end.how = "was killed (" + d.state.String() + ")"
	}
	return end
}

// listen sorts the child's standard output into beats and everything else, and
// says whether the child took its leave.
func (g *guard) listen(voice io.Reader, beats chan<- struct{}) (goodbye bool) {
	lines := bufio.NewReaderSize(voice, 256)
	for {
		line, err := lines.ReadSlice('\n')
		switch strings.TrimRight(string(line), "\r\n") {
		case beatLine:
			select {
			case beats <- struct{}{}:
			default:
			}
		case goodbyeLine:
			goodbye = true
		default:
			_, _ = g.Output.Write(line) // nobody to tell if our own output is closed
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return goodbye
		}
	}
}

// withoutNotify keeps systemd's variables from the child: they are meant for
// this process, and systemd would not listen to another.
func withoutNotify(environment []string) []string {
	return slices.DeleteFunc(slices.Clone(environment), func(variable string) bool {
		return strings.HasPrefix(variable, "NOTIFY_SOCKET=") ||
			strings.HasPrefix(variable, "WATCHDOG_USEC=") ||
			strings.HasPrefix(variable, "WATCHDOG_PID=")
	})
}
