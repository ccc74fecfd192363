package supervise

import (
	"bufio"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// supervisorVariable is set by Install, so that the agent can tell who will
// start it again.
const supervisorVariable = "NIGHTSTAND_SUPERVISOR"

// parentPatience is how long a guarding parent may be silent before it no
// longer counts as a guard.
const parentPatience = 15 * time.Second

// Heart is the agent's sign of life towards whoever supervises it: our
// guarding parent, or systemd, or nobody. None of its methods blocks for
// longer than it says, whatever the other side does, so the core loop may call
// them.
type Heart struct {
	guarded  bool
	notify   bool
	watchdog time.Duration // zero: systemd does not watch
	named    Supervisor
	restarts int
	lastEnd  string

	output   io.Writer
	messages chan message

	mu          sync.Mutex
	lastPing    time.Time
	lastStatus  string
	parentGone  bool
	parentMute  bool
	parentWait  *patience
	stop        chan struct{}
	stopOnce    sync.Once
	brokenPipes chan os.Signal
}

// message goes either to the parent or to systemd.
type message struct {
	toParent bool
	text     string
	sent     chan<- struct{} // closed when it has gone out; may be nil
}

// Listen reads from the environment who supervises this process and starts
// listening for the end of a guarding parent. It takes the variables of the
// guard out of the environment, so that programs started by the agent do not
// believe to be guarded. Call it once, early; standard input and output belong
// to the guard from then on if there is one.
func Listen() *Heart {
	h := &Heart{
		guarded:  os.Getenv(guardedVariable) == "1",
		notify:   os.Getenv("NOTIFY_SOCKET") != "",
		named:    Supervisor(os.Getenv(supervisorVariable)),
		lastEnd:  os.Getenv(lastEndVariable),
		output:   os.Stdout,
		messages: make(chan message, 8),
		stop:     make(chan struct{}),

		parentWait: newPatience(time.Now(), parentPatience),
	}
	h.restarts, _ = strconv.Atoi(os.Getenv(restartsVariable)) // absent counts as none
	for _, variable := range []string{guardedVariable, restartsVariable, lastEndVariable} {
		_ = os.Unsetenv(variable)
	}
	if h.notify {
		// A number that cannot be read is as no watchdog: then nobody would
		// notice a hang, and Guardian says so.
		h.watchdog, _ = daemon.SdWatchdogEnabled(false)
	}
	if h.guarded {
		// Without this, writing a beat after the parent's death would kill us.
		h.brokenPipes = make(chan os.Signal, 1)
		signal.Notify(h.brokenPipes, syscall.SIGPIPE)
		go h.hearParent(os.Stdin)
	}
	go h.speak()
	return h
}

// Beat says that the core loop goes round. Call it about once a second; it
// never blocks.
func (h *Heart) Beat() {
	if h.guarded {
		h.mu.Lock()
		h.parentMute = h.parentWait.over(time.Now())
		gone := h.parentGone
		h.mu.Unlock()
		if !gone {
			h.post(message{toParent: true, text: beatLine + "\n"})
		}
	}
	if h.watchdog > 0 && h.pingDue(time.Now()) {
		h.post(message{text: daemon.SdNotifyWatchdog})
	}
}

// Ready says that the agent is up: it polls and could ring. It never blocks.
func (h *Heart) Ready() { h.tell(daemon.SdNotifyReady) }

// Status hands systemd one sentence for "systemctl --user status". The same
// sentence again costs nothing. It never blocks.
func (h *Heart) Status(sentence string) {
	h.mu.Lock()
	same := sentence == h.lastStatus
	h.lastStatus = sentence
	h.mu.Unlock()
	if !same {
		h.tell("STATUS=" + strings.ReplaceAll(sentence, "\n", " "))
	}
}

// Stopping says that the agent ends because it was asked to; a guarding parent
// that was not told would start it again. It waits until that has gone out, at
// most one second.
func (h *Heart) Stopping() {
	sent := make(chan struct{})
	goodbye := message{text: daemon.SdNotifyStopping, sent: sent}
	switch {
	case h.guarded:
		goodbye = message{toParent: true, text: goodbyeLine + "\n", sent: sent}
	case !h.notify:
		return
	}
	timeout := time.After(time.Second)
	select {
	case h.messages <- goodbye:
	case <-timeout:
		return
	}
	select {
	case <-sent:
	case <-timeout:
	}
}

// StopAsked is closed when the guarding parent asks this process to end by
// other means than a signal, as it does on Windows.
func (h *Heart) StopAsked() <-chan struct{} { return h.stop }

// Restarts says how often the guarding parent has started the agent again,
// and how the one before ended ("hung", "ended with code 2"); empty after a
// first start.
func (h *Heart) Restarts() (count int, lastEnd string) { return h.restarts, h.lastEnd }

func (h *Heart) tell(state string) {
	if h.notify {
		h.post(message{text: state})
	}
}

// post gives up when eight messages wait: then the other side has stopped
// reading, and the next beat says the same.
func (h *Heart) post(m message) {
	select {
	case h.messages <- m:
	default:
	}
}

// speak is the only place that can block on a full pipe or socket.
func (h *Heart) speak() {
	for m := range h.messages {
		var err error
		if m.toParent {
			_, err = io.WriteString(h.output, m.text)
		} else {
			_, err = daemon.SdNotify(false, m.text)
		}
		if err != nil && m.toParent {
			h.loseParent()
		}
		if m.sent != nil {
			close(m.sent)
		}
	}
}

// pingDue keeps to a quarter of systemd's period: often enough for one late
// beat, rarely enough to wake nobody for nothing.
func (h *Heart) pingDue(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.lastPing.IsZero() && now.Sub(h.lastPing) < h.watchdog/4 {
		return false
	}
	h.lastPing = now
	return true
}

// hearParent reads until the parent's end of the pipe is closed, which happens
// even when the parent is killed.
func (h *Heart) hearParent(input io.Reader) {
	lines := bufio.NewScanner(input)
	for lines.Scan() {
		h.mu.Lock()
		h.parentWait.begin(time.Now(), parentPatience)
		h.parentMute = false
		h.mu.Unlock()
		if lines.Text() == stopLine {
			h.stopOnce.Do(func() { close(h.stop) })
		}
	}
	h.loseParent()
}

func (h *Heart) loseParent() {
	h.mu.Lock()
	h.parentGone = true
	h.mu.Unlock()
}

// parentLost says whether the parent has died, or is there and stands still.
func (h *Heart) parentLost() (dead, mute bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.parentGone, h.parentMute
}
