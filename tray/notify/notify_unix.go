//go:build unix && !darwin

package notify

import (
	"html"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"nightstand/app/page"
	"nightstand/app/session"
	"nightstand/assets"
)

const (
	daemonName = "org.freedesktop.Notifications"
	daemonPath = "/org/freedesktop/Notifications"
)

// retry is the pause between two looks for a bus, a daemon, or the end of a
// pause.
var retry = 10 * time.Second

// settle is how long a button must have been on screen before a press on it
// counts for what it says now.
const settle = time.Second

var (
	working = Health{Shown: true, Reason: Working, Sentence: "Notifications are shown, with buttons to answer a page."}
	plain   = Health{Shown: true, Reason: NoButtons, Sentence: "Notifications are shown, but this desktop's carry no buttons. " +
		"Answer a page from the tray, the window or the nightstand command."}
	paused = Health{Reason: Paused, Sentence: "The desktop is set to “do not disturb” and holds notifications back. " +
		"Pages still ring; switch it off to see notifications too."}
	noDaemon = Health{Reason: NoDaemon, Sentence: "Nothing on this desktop shows notifications. " +
		"Pages still ring; start a notification service such as dunst to see them too."}
	failing = Health{Reason: Failing, Sentence: "This desktop did not take the last notification. " +
		"Pages still ring; use the tray, the window or the nightstand command to see and answer them."}
	noBus = Health{Reason: NoSessionBus, Sentence: "There is no desktop session here, so there are no notifications. " +
		"Pages still ring; use the nightstand command to see and answer them."}
)

// Notifier keeps our notifications on the desktop as they should be, through
// the end and the return of the notification daemon and of the bus.
type Notifier struct {
	Options
	wishes  *wishes
	closing chan struct{}
	closed  chan struct{}
	once    sync.Once

	// The rest belongs to the goroutine.
	bus      *dbus.Conn
	daemon   string          // the unique name of the daemon that our numbers belong to
	answers  bool            // it answered the last time
	refused  bool            // it answered, but would not show a note
	can      map[string]bool // its capabilities
	slots    map[string]*slot
	last     Health
	attempts int // to reach a daemon on this bus
}

// slot is what is known of one note on the screen.
type slot struct {
	id     uint32 // the daemon's number for it; 0 when it is not on screen
	note   Note   // as it was last sent
	sentAt time.Time
	// before are the buttons that this note's replaced, while they count.
	before []Action
	// put away by the user, who is not shown the same words again.
	away bool
	// pressedAt tells a close that follows a button from a dismissal.
	pressedAt time.Time
}

// New starts a notifier. It returns at once; Health tells what it found.
func New(options Options) *Notifier {
	n := &Notifier{
		Options: options.filled(),
		wishes:  newWishes(),
		closing: make(chan struct{}),
		closed:  make(chan struct{}),
		slots:   map[string]*slot{},
	}
	go n.run()
	return n
}

// Show puts a note on the screen, in place of the one with the same Key. It
// never blocks. A note that is shown already, or that the user has put away,
// is not sent again until its words change or it is withdrawn.
func (n *Notifier) Show(note Note) { n.wishes.show(note) }

// Withdraw takes a note off the screen. It never blocks.
func (n *Notifier) Withdraw(key string) { n.wishes.withdraw(key) }

// Close takes all notes off the screen, because nobody would hear their
// buttons any more, and ends the notifier. It waits three seconds at most.
func (n *Notifier) Close() {
	n.once.Do(func() { close(n.closing) })
	select {
	case <-n.closed:
	case <-time.After(session.Patience):
	}
}

// run joins the bus as often as it is lost.
func (n *Notifier) run() {
	defer close(n.closed)
	for {
		bus, err := session.Dial()
		if err != nil {
			n.Log.Debug("no session bus for notifications", "error", err)
			n.report(noBus)
		} else {
			n.bus, n.attempts = bus, 0
			n.serve()
			n.forget()
			bus.Close()
		}
		select {
		case <-n.closing:
			return
		case <-time.After(retry):
		}
	}
}

// serve keeps the screen as it should be until the bus is lost or the notifier
// is closed.
func (n *Notifier) serve() {
	signals := make(chan *dbus.Signal, 64)
	n.bus.Signal(signals)
	if err := n.listen(); err != nil {
		n.Log.Debug("cannot listen to the notification daemon", "error", err)
		n.report(noBus)
		return
	}
	n.meet()
	for {
		n.settleScreen()
		n.report(n.look())
		select {
		case <-n.closing:
			n.clear()
			return
		case <-n.wishes.changed:
		case <-time.After(retry):
		case signal, alive := <-signals:
			if !alive {
				n.report(noBus)
				return
			}
			n.hear(signal)
		}
	}
}

func (n *Notifier) listen() error {
	if err := session.WatchOwner(n.bus, daemonName); err != nil {
		return err
	}
	return session.Watch(n.bus,
		dbus.WithMatchSender(daemonName),
		dbus.WithMatchInterface(daemonName))
}

func (n *Notifier) object() dbus.BusObject { return n.bus.Object(daemonName, daemonPath) }

// meet learns who shows notifications now and what it can do. The bus may
// start a daemon for the first question, and whenever a note is waiting.
func (n *Notifier) meet() {
	var capabilities []string
	wake := n.attempts == 0 || len(n.wishes.all()) > 0
	n.attempts++
	if err := session.Call(n.object(), wake, daemonName+".GetCapabilities", nil, &capabilities); err != nil {
		n.Log.Debug("no notification daemon", "error", err)
		n.answers, n.refused = false, false
		return
	}
	n.answers = true
	n.can = map[string]bool{}
	for _, capability := range capabilities {
		n.can[capability] = true
	}
	if owner := session.Owner(n.bus, daemonName); owner != n.daemon {
		n.forget()
		n.daemon, n.answers = owner, true
	}
}

// forget notes that whatever was on screen is gone with its daemon, so that it
// is sent again. What the user had put away stays away.
func (n *Notifier) forget() {
	n.daemon, n.answers, n.refused = "", false, false
	for _, shown := range n.slots {
		shown.id, shown.sentAt = 0, time.Time{}
	}
}

// look tells how notifications fare.
func (n *Notifier) look() Health {
	switch {
	case n.refused:
		return failing
	case !n.answers:
		return noDaemon
	case n.held():
		return paused
	case !n.can["actions"]:
		return plain
	}
	return working
}

// held asks the daemons that can tell whether they are holding notes back:
// Plasma through the common interface, dunst through its own.
func (n *Notifier) held() bool {
	if inhibited, err := session.Property(n.object(), daemonName, "Inhibited"); err == nil {
		return inhibited.Value() == true
	}
	held, err := session.Property(n.object(), "org.dunstproject.cmd0", "paused")
	return err == nil && held.Value() == true
}

// settleScreen sends what is missing and takes away what is not wanted.
func (n *Notifier) settleScreen() {
	if !n.answers {
		if n.meet(); !n.answers {
			return
		}
	}
	wanted := map[string]bool{}
	for _, note := range n.wishes.all() {
		wanted[note.Key] = true
		shown, known := n.slots[note.Key]
		if !known {
			shown = &slot{}
			n.slots[note.Key] = shown
		}
		// What a daemon took away by itself is not thrown at it at once.
		same, soon := shown.note.equal(note), time.Since(shown.sentAt) < retry
		if same && (shown.id != 0 || shown.away || soon) {
			continue
		}
		if n.send(shown, note); !n.answers {
			return
		}
	}
	for key, shown := range n.slots {
		if !wanted[key] {
			n.takeAway(shown)
			delete(n.slots, key)
		}
	}
}

// send puts one note on screen, over its predecessor.
func (n *Notifier) send(shown *slot, note Note) {
	var id uint32
	err := session.Call(n.object(), true, daemonName+".Notify", []any{
		"Nightstand", shown.id, "", page.Plain(note.Title, 150), n.body(note),
		n.buttons(note), hints(note), n.lasts(note),
	}, &id)
	if err != nil {
		// Sent again when the daemon comes back, or at the next look.
		n.Log.Warn("a notification could not be shown", "error", err)
		n.answers, n.refused = false, true
		return
	}
	now := time.Now()
	if shown.id == 0 || shown.away {
		shown.before = nil
	} else if now.Sub(shown.sentAt) >= settle {
		shown.before = shown.note.Actions
	} // else what was there before the one just replaced still counts
	shown.id, shown.note, shown.sentAt = id, note, now
	shown.away, shown.pressedAt = false, time.Time{}
	n.refused = false
}

// body is the text, escaped where the daemon reads markup. dunst 1.9 reads it
// without saying so and drops what looks like a tag, so elsewhere the brackets
// give way to ones that mean nothing.
func (n *Notifier) body(note Note) string {
	text := page.PlainLines(note.Body, 1000)
	if n.can["body-markup"] {
		return html.EscapeString(text)
	}
	return strings.NewReplacer("<", "‹", ">", "›").Replace(text)
}

// buttons lists keys and labels in turn, beginning with the press on the note
// itself. A daemon without buttons is sent none: some would show a dialog.
func (n *Notifier) buttons(note Note) []string {
	if !n.can["actions"] {
		return []string{}
	}
	list := []string{Open, "Open Nightstand"}
	for _, action := range note.Actions {
		if action.Key != Open {
			list = append(list, action.Key, page.Plain(action.Label, 60))
		}
	}
	return list
}

// lasts is for how many milliseconds a note stays: 0 is for ever, -1 as long
// as the daemon likes.
func (n *Notifier) lasts(note Note) int32 {
	if note.Urgent || note.Resident {
		return 0
	}
	return -1
}

// picture is an image as the notification daemons take it.
type picture struct {
	Width, Height, Stride int32
	Alpha                 bool
	Bits, Channels        int32
	Pixels                []byte
}

func hints(note Note) map[string]dbus.Variant {
	icon := assets.ApplicationIcon(96)
	if note.Urgent && note.Count > 0 {
		icon = assets.Lamp(assets.Red, note.Count, 96)
	}
	// The daemons take straight colours, ours are premultiplied.
	pixels := slices.Clone(icon.Pix)
	for i := 0; i < len(pixels); i += 4 {
		if alpha := int(pixels[i+3]); alpha > 0 {
			for channel := range 3 {
				pixels[i+channel] = uint8(min(255, int(pixels[i+channel])*255/alpha))
			}
		}
	}
	urgency := byte(1)
	if note.Urgent {
		urgency = 2
	}
	side := int32(icon.Bounds().Dx())
	return map[string]dbus.Variant{
		"urgency":        dbus.MakeVariant(urgency),
		"image-data":     dbus.MakeVariant(picture{side, side, int32(icon.Stride), true, 8, 4, pixels}),
		"desktop-entry":  dbus.MakeVariant("nightstand"),
		"suppress-sound": dbus.MakeVariant(true), // the siren is ours
		"resident":       dbus.MakeVariant(note.Urgent || note.Resident),
		// So that dunst lets an agent that was killed and started again
		// replace the notes of its former life, whose buttons are dead.
		"x-dunst-stack-tag": dbus.MakeVariant("nightstand " + note.Key),
	}
}

func (n *Notifier) takeAway(shown *slot) {
	if shown.id == 0 {
		return
	}
	if err := session.Call(n.object(), false, daemonName+".CloseNotification", []any{shown.id}); err != nil {
		n.Log.Debug("a notification could not be closed", "error", err)
	}
	shown.id = 0
}

// clear takes everything off the screen.
func (n *Notifier) clear() {
	for _, shown := range n.slots {
		n.takeAway(shown)
	}
}

// hear carries on what the bus or the daemon said.
func (n *Notifier) hear(signal *dbus.Signal) {
	if name, owner, ok := session.NewOwner(signal); ok {
		if name == daemonName && owner != n.daemon {
			n.forget()
			if owner != "" {
				n.meet()
			}
		}
		return
	}
	if signal.Sender != n.daemon || len(signal.Body) < 2 {
		return
	}
	id, _ := signal.Body[0].(uint32)
	key, shown := n.find(id)
	if shown == nil {
		return
	}
	switch signal.Name {
	case daemonName + ".ActionInvoked":
		pressed, _ := signal.Body[1].(string)
		n.press(key, shown, pressed, time.Now())
	case daemonName + ".NotificationClosed":
		const byTheUser = 2
		why, _ := signal.Body[1].(uint32)
		n.gone(key, shown, why == byTheUser)
	}
}

func (n *Notifier) find(id uint32) (string, *slot) {
	for key, shown := range n.slots {
		if id != 0 && shown.id == id {
			return key, shown
		}
	}
	return "", nil
}

// press passes a button on, or what stood in its place a moment ago.
func (n *Notifier) press(key string, shown *slot, pressed string, now time.Time) {
	action, ok := shown.meant(pressed, now)
	if !ok {
		n.Log.Info("a press on a notification did not count: it had been there for less than a second")
		return
	}
	shown.pressedAt = now
	n.OnAction(key, action)
}

// meant is the action that a press asks for; ok is false when the button had
// not been there for long enough to be meant at all.
func (s *slot) meant(pressed string, now time.Time) (action string, ok bool) {
	if pressed == Open || now.Sub(s.sentAt) >= settle {
		return pressed, true
	}
	place := slices.IndexFunc(s.note.Actions, func(a Action) bool { return a.Key == pressed })
	if place < 0 || place >= len(s.before) {
		return "", false
	}
	return s.before[place].Key, true
}

// gone notes that a note has left the screen. One that vanished without the
// user, or after a press that did not count, is sent again if it must stay.
func (n *Notifier) gone(key string, shown *slot, byTheUser bool) {
	early := time.Since(shown.sentAt) < settle
	shown.id = 0
	switch {
	case time.Since(shown.pressedAt) < settle:
		shown.away = true
	case byTheUser && early:
		shown.sentAt = time.Time{} // sent again at once
	case byTheUser:
		shown.away = true
		n.OnDismiss(key)
	case shown.note.Urgent || shown.note.Resident:
		// sent again at the next look
	default:
		shown.away = true // its time was up
	}
}

func (n *Notifier) report(health Health) {
	if health == n.last {
		return
	}
	n.last = health
	n.Log.Info("notifications", "reason", string(health.Reason))
	n.Health(health)
}
