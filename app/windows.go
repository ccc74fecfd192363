package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"nightstand/app/control"
	"nightstand/app/home"
	"nightstand/app/page"
	"nightstand/app/watch"
)

// The windows are processes of their own, so that no graphics driver can
// silence the agent. It opens the alarm's window when something rings and
// another when that one dies; the main window it opens when it is asked to.

// The kinds of windows, as they introduce themselves when they follow.
const (
	alarmWindow = "alarm"
	mainWindow  = "main"
)

// WindowTaken is the exit code of a window of which there is one already.
const WindowTaken = 4

// The spans of opening windows.
const (
	// comesUpWithin is how long a window may take before it is given up.
	comesUpWithin = 15 * time.Second
	// closedFor is how long the alarm's window stays away when its user closes
	// it while the same pages ring: closing answers nothing.
	closedFor = time.Minute
	// takenFor is how long a window that belongs to an earlier agent is given
	// to find this one.
	takenFor = 2 * time.Second
	// firstPause and longestPause are those between windows that die.
	firstPause, longestPause = 200 * time.Millisecond, 30 * time.Second
)

// opened is one window process.
type opened interface {
	// Wait returns how it ended: its exit code, and the last it said.
	Wait() (code int, said string)
	End()
}

// windows opens them. It is a face: it is shown every state and never blocks.
type windows struct {
	open    func(view string) (opened, error)
	attends func(face string) bool
	signal  func(watch.SignalSeen)
	log     *slog.Logger
	now     func() time.Time

	newest chan watch.State // of one: the state to act on next
	views  chan string
	ends   chan ending

	// What follows belongs to run.
	wanted    map[string]bool // what the alarm's window is wanted for
	shown     opened
	since     time.Time
	seen      bool // it has introduced itself
	notBefore time.Time
	closed    map[string]bool // what it was wanted for when its user closed it
	closedAt  time.Time
	failures  int
	well      bool // that it comes up has been said
	all       map[opened]bool
}

// ending is a window that has ended.
type ending struct {
	of    opened
	alarm bool
	code  int
	said  string
}

func newWindows(open func(view string) (opened, error), attends func(string) bool, signal func(watch.SignalSeen), log *slog.Logger) *windows {
	return &windows{
		open: open, attends: attends, signal: signal, log: log, now: time.Now,
		newest: make(chan watch.State, 1), views: make(chan string, 8), ends: make(chan ending, 8),
		all: map[opened]bool{},
	}
}

// Show takes in a state; the newest wins.
func (w *windows) Show(s watch.State) {
	for {
		select {
		case w.newest <- s:
			return
		default:
		}
		select {
		case <-w.newest:
		default:
		}
	}
}

// run opens windows until ctx ends, and then ends those it opened.
func (w *windows) run(ctx context.Context) {
	clock := time.NewTicker(100 * time.Millisecond)
	defer clock.Stop()
	for {
		// While nothing rings and nothing is shown there is nothing to look for;
		// looking would cost power all night.
		var look <-chan time.Time
		if len(w.wanted) > 0 || w.shown != nil {
			look = clock.C
		}
		select {
		case s := <-w.newest:
			w.wanted = wantedFor(s)
		case view := <-w.views:
			w.start(view)
		case e := <-w.ends:
			w.ended(e)
		case <-look:
		case <-ctx.Done():
			for one := range w.all {
				one.End()
			}
			w.seeThemOut()
			return
		}
		w.look()
	}
}

// seeThemOut waits a moment for the windows to be gone: one that is still ending
// may hold a file of a home that is about to be thrown away.
func (w *windows) seeThemOut() {
	patience := time.After(time.Second)
	for len(w.all) > 0 {
		select {
		case e := <-w.ends:
			delete(w.all, e.of)
		case <-patience:
			return
		}
	}
}

// wantedFor is what the alarm's window is wanted for: pages that call or ask,
// each epoch anew, and blindness that rings.
func wantedFor(s watch.State) map[string]bool {
	wanted := map[string]bool{}
	for _, p := range s.Pages {
		if p.Alarming && p.Answer != watch.AnswerUnderWay || p.StillOnIt {
			wanted[fmt.Sprintf("%s/%d", p.ID, p.Epoch)] = true
		}
	}
	if s.Alarm.Pattern == watch.Blind {
		wanted["blind"] = true
	}
	return wanted
}

// look opens the alarm's window if it is wanted and not there.
func (w *windows) look() {
	now := w.now()
	if w.attends(alarmWindow) {
		if w.shown != nil && !w.seen {
			w.seen = true
			w.log.Info("the alarm's window is up", "after", now.Sub(w.since))
		}
		if !w.well {
			w.well = true
			w.signal(watch.SignalSeen{Name: windowSignal, State: watch.SignalOK, Detail: "the alarm’s window comes up"})
		}
		w.failures, w.notBefore = 0, time.Time{}
		return
	}
	if w.shown != nil {
		if !w.seen && now.Sub(w.since) > comesUpWithin {
			w.shown.End()
		}
		return
	}
	if len(w.wanted) == 0 || now.Before(w.notBefore) || w.putAway(now) {
		return
	}
	w.since, w.seen = now, false
	w.shown = w.start(alarmWindow)
}

// putAway says that the user has closed the window for just these pages.
func (w *windows) putAway(now time.Time) bool {
	if w.closed == nil || now.Sub(w.closedAt) >= closedFor {
		return false
	}
	for what := range w.wanted {
		if !w.closed[what] {
			return false
		}
	}
	return true
}

func (w *windows) start(view string) opened {
	one, err := w.open(view)
	if err != nil {
		w.log.Error("a window could not be started", "view", view, "error", err)
		if view == alarmWindow {
			w.failed(err.Error())
		}
		return nil
	}
	w.all[one] = true
	go func() {
		code, said := one.Wait()
		w.ends <- ending{of: one, alarm: view == alarmWindow, code: code, said: said}
	}()
	return one
}

func (w *windows) ended(e ending) {
	delete(w.all, e.of)
	w.log.Info("a window ended", "alarm", e.alarm, "code", e.code)
	if !e.alarm || e.of != w.shown {
		return
	}
	w.shown = nil
	switch {
	case e.code == 0:
		w.closed, w.closedAt = maps.Clone(w.wanted), w.now()
	case e.code == WindowTaken:
		w.notBefore = w.now().Add(takenFor)
	default:
		w.failed(e.said)
	}
}

// failed says why there is no window and waits longer every time.
func (w *windows) failed(said string) {
	pause := min(longestPause, firstPause<<min(w.failures, 8))
	w.failures++
	w.well = false
	w.notBefore = w.now().Add(pause)
	reason := phrase(page.Plain(said, 400))
	if reason == "" {
		reason = "the alarm’s window ended without a word; another one comes"
	}
	w.log.Warn("no alarm window", "reason", reason, "next", pause)
	w.signal(watch.SignalSeen{Name: windowSignal, State: watch.SignalWarning, Detail: reason})
}

// windowSignal names what says whether the alarm's window can come up.
const windowSignal = "windows"

// screenThere says whether this session has a screen to open a window on.
func screenThere() bool {
	return runtime.GOOS != "linux" || os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// windowProcess is the same program, showing a window.
type windowProcess struct {
	command *exec.Cmd
	said    *tail
}

func openWindow(view string) (opened, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &windowProcess{command: exec.Command(executable, "window", view), said: &tail{}}
	p.command.Stderr = p.said
	p.command.SysProcAttr = withoutConsole()
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *windowProcess) Wait() (code int, said string) {
	err := p.command.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, ""
	case errors.As(err, &exit):
		return exit.ExitCode(), p.said.last()
	}
	return -1, err.Error()
}

func (p *windowProcess) End() { _ = p.command.Process.Kill() } // it may have ended this moment

// tail keeps the end of what a window says.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, text...)
	const most = 4000
	if len(t.text) > most {
		t.text = slices.Clone(t.text[len(t.text)-most:])
	}
	return len(text), nil
}

// last is the window's own last sentence, folded over lines or not.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := bytes.TrimSpace(t.text)
	if at := bytes.LastIndex(text, []byte(noWindow)); at >= 0 {
		return strings.Join(strings.Fields(string(text[at:])), " ")
	}
	lines := strings.Split(string(text), "\n")
	return lines[len(lines)-1]
}

// noWindow begins the sentence of a window that cannot be shown.
const noWindow = "No window can be shown here"

// attendance counts the windows that follow, by kind.
type attendance struct {
	mu   sync.Mutex
	here map[string]int
}

func (a *attendance) come(face string) (leave func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.here == nil {
		a.here = map[string]int{}
	}
	a.here[face]++
	var once sync.Once
	return func() {
		once.Do(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.here[face]--
		})
	}
}

func (a *attendance) attends(face string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.here[face] > 0
}

// Attend takes in that a window follows.
func (a *Agent) Attend(face string) func() { return a.attendance.come(face) }

// ShowWindow brings a view of the main window up: in the one that is open, or
// in a new one.
func (a *Agent) ShowWindow(_ context.Context, view string) error {
	if !slices.Contains([]string{"now", "pages"}, view) {
		return &control.RefusedError{Sentence: "There is no window “" + page.Plain(view, 20) + "”. There are now and pages; the alarm’s comes by itself."}
	}
	if a.attendance.attends(mainWindow) {
		a.desk.update(func(d *control.Desk) { d.Show, d.Asked = view, d.Asked+1 })
		a.changed.tell()
		return nil
	}
	if a.windows == nil {
		return &control.RefusedError{Sentence: "The agent has no screen to open a window on. “nightstand status” says how things stand."}
	}
	select {
	case a.windows.views <- view:
	default: // enough of them are on their way
	}
	return nil
}

// desk is what the windows need to know of the session.
type desk struct {
	mu  sync.Mutex
	now control.Desk
}

func (d *desk) update(change func(*control.Desk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.now)
}

func (d *desk) get() control.Desk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// ClaimWindow makes this process the one window of its kind ("alarm", "main")
// of the profile. It says false where there is one already. Where nothing can
// be written there may be two: a window too many is better than none.
func ClaimWindow(kind string) (mine bool, release func()) {
	nothing := func() {}
	places, err := home.Find()
	if err != nil {
		return true, nothing
	}
	for _, at := range []home.Home{places, places.Temporary()} {
		if at.PrepareRun() != nil {
			continue
		}
		lock := flock.New(at.Lock + "-" + kind + "-window")
		taken, err := lock.TryLock()
		if err != nil {
			continue
		}
		if !taken {
			return false, nothing
		}
		return true, func() { _ = lock.Unlock() } // the process ends anyway
	}
	return true, nothing
}
