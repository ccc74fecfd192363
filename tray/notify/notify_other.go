//go:build !unix || darwin

package notify

import (
	"bytes"
	"image/png"
	"sync"
	"time"

	"github.com/gen2brain/beeep"

	"nightstand/assets"
)

// icon is small, because older Windows makes an icon file of it, and those end
// at 256 pixels.
var icon = sync.OnceValue(func() []byte {
	var picture bytes.Buffer
	_ = png.Encode(&picture, assets.ApplicationIcon(96)) // cannot fail: it writes to memory
	return picture.Bytes()
})

var (
	plain = Health{Shown: true, Reason: NoButtons, Sentence: "Notifications are shown, but here they carry no buttons and no details. " +
		"Answer a page from the tray, the window or the nightstand command."}
	failing = Health{Reason: Failing, Sentence: "The system did not take the last notification. " +
		"Pages still ring; use the tray, the window or the nightstand command to see and answer them."}
)

// pace keeps a busy night from filling the screen: the system stacks what it
// is sent, it does not replace.
const pace = 5 * time.Second

// Notifier sends fixed sentences to the system's notifications.
type Notifier struct {
	Options
	wishes  *wishes
	closing chan struct{}
	once    sync.Once
}

// New starts a notifier. It returns at once.
func New(options Options) *Notifier {
	n := &Notifier{Options: options.filled(), wishes: newWishes(), closing: make(chan struct{})}
	beeep.AppName = "Nightstand"
	go n.run()
	return n
}

// Show shows a note's fixed sentence and its count, if they are not what was
// shown for its Key last. It never blocks.
func (n *Notifier) Show(note Note) { n.wishes.show(note) }

// Withdraw forgets a note. The system takes what it has shown away by itself.
func (n *Notifier) Withdraw(key string) { n.wishes.withdraw(key) }

// Close ends the notifier.
func (n *Notifier) Close() { n.once.Do(func() { close(n.closing) }) }

func (n *Notifier) run() {
	last := plain
	n.Health(last)
	sent := map[string]string{}
	for {
		select {
		case <-n.closing:
			return
		case <-n.wishes.changed:
		}
		wanted := map[string]bool{}
		for _, note := range n.wishes.all() {
			wanted[note.Key] = true
			text := sentence(note)
			if sent[note.Key] == text {
				continue
			}
			sent[note.Key] = text
			health := plain
			if err := beeep.Notify("Nightstand", text, icon()); err != nil {
				n.Log.Warn("a notification could not be shown", "error", err)
				health = failing
			}
			if health != last {
				last = health
				n.Health(health)
			}
			select {
			case <-n.closing:
				return
			case <-time.After(pace):
			}
		}
		for key := range sent {
			if !wanted[key] {
				delete(sent, key)
			}
		}
	}
}
