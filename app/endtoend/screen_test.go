//go:build linux

package endtoend

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
)

// Screen looks at a desktop's screen and types and clicks on it, through the X
// protocol: a picture of the whole takes longer than what is measured here.
type Screen struct {
	tb         testing.TB
	connection *xgb.Conn
	root       xproto.Window
	codes      map[uint32]xproto.Keycode // by keysym
}

// The keys that are typed, as X calls them.
const (
	keySpace  = 0x20
	keyReturn = 0xff0d
	keyEscape = 0xff1b
)

// Screen joins the desktop's screen.
func (d *Desktop) Screen() *Screen {
	d.tb.Helper()
	connection, err := xgb.NewConnDisplay(d.Display)
	if err != nil {
		d.tb.Fatal(err)
	}
	d.tb.Cleanup(connection.Close)
	if err := xtest.Init(connection); err != nil {
		d.tb.Fatal(err)
	}
	setup := xproto.Setup(connection)
	s := &Screen{tb: d.tb, connection: connection, root: setup.DefaultScreen(connection).Root, codes: map[uint32]xproto.Keycode{}}
	first, last := setup.MinKeycode, setup.MaxKeycode
	mapping, err := xproto.GetKeyboardMapping(connection, first, byte(last-first+1)).Reply()
	if err != nil {
		d.tb.Fatal(err)
	}
	per := int(mapping.KeysymsPerKeycode)
	for at := 0; at < len(mapping.Keysyms); at += per {
		if symbol := uint32(mapping.Keysyms[at]); symbol != 0 {
			s.codes[symbol] = first + xproto.Keycode(at/per)
		}
	}
	return s
}

// Press presses one key and lets it go, and returns the instant.
func (s *Screen) Press(symbol uint32) time.Time {
	s.tb.Helper()
	code, known := s.codes[symbol]
	if !known {
		s.tb.Fatalf("the keyboard has no key %#x", symbol)
	}
	at := time.Now()
	for _, event := range []byte{xproto.KeyPress, xproto.KeyRelease} {
		if err := xtest.FakeInputChecked(s.connection, event, byte(code), 0, s.root, 0, 0, 0).Check(); err != nil {
			s.tb.Fatal(err)
		}
	}
	return at
}

// Click presses the pointer's first button at a place of the screen.
func (s *Screen) Click(x, y int16) time.Time {
	s.tb.Helper()
	fake := func(event, detail byte) {
		if err := xtest.FakeInputChecked(s.connection, event, detail, 0, s.root, x, y, 0).Check(); err != nil {
			s.tb.Fatal(err)
		}
	}
	fake(xproto.MotionNotify, 0)
	time.Sleep(60 * time.Millisecond) // the window has to see where the pointer is
	at := time.Now()
	fake(xproto.ButtonPress, 1)
	fake(xproto.ButtonRelease, 1)
	return at
}

// window is one top-level window that can be seen.
type window struct {
	id                  xproto.Window
	title               string
	x, y, width, height int
}

func (s *Screen) atom(name string) xproto.Atom {
	reply, err := xproto.InternAtom(s.connection, false, uint16(len(name)), name).Reply()
	if err != nil {
		s.tb.Fatal(err)
	}
	return reply.Atom
}

func (s *Screen) property(id xproto.Window, name string) []byte {
	reply, err := xproto.GetProperty(s.connection, false, id, s.atom(name), xproto.GetPropertyTypeAny, 0, 1024).Reply()
	if err != nil {
		return nil // it has gone
	}
	return reply.Value
}

func identities(value []byte) []xproto.Window {
	var all []xproto.Window
	for ; len(value) >= 4; value = value[4:] {
		all = append(all, xproto.Window(binary.LittleEndian.Uint32(value)))
	}
	return all
}

// Stack are the managed windows, the one in front last.
func (s *Screen) Stack() []window {
	var all []window
	for _, id := range identities(s.property(s.root, "_NET_CLIENT_LIST_STACKING")) {
		attributes, err := xproto.GetWindowAttributes(s.connection, id).Reply()
		if err != nil || attributes.MapState != xproto.MapStateViewable {
			continue
		}
		geometry, err := xproto.GetGeometry(s.connection, xproto.Drawable(id)).Reply()
		if err != nil {
			continue
		}
		place, err := xproto.TranslateCoordinates(s.connection, id, s.root, 0, 0).Reply()
		if err != nil {
			continue
		}
		all = append(all, window{id, string(s.property(id, "_NET_WM_NAME")), int(place.DstX), int(place.DstY), int(geometry.Width), int(geometry.Height)})
	}
	return all
}

// Active is the window that has the keyboard.
func (s *Screen) Active() xproto.Window {
	for _, id := range identities(s.property(s.root, "_NET_ACTIVE_WINDOW")) {
		return id
	}
	return 0
}

// Find is the window with this title.
func (s *Screen) Find(title string) (window, error) {
	stack := s.Stack()
	at := slices.IndexFunc(stack, func(w window) bool { return w.title == title })
	if at < 0 {
		return window{}, fmt.Errorf("no window is called %q: %+v", title, stack)
	}
	return stack[at], nil
}

// colour is one point of a window, as red, green and blue.
func (s *Screen) colour(w window, x, y int) (red, green, blue byte, err error) {
	image, err := xproto.GetImage(s.connection, xproto.ImageFormatZPixmap, xproto.Drawable(s.root), int16(w.x+x), int16(w.y+y), 1, 1, 0xffffffff).Reply()
	if err != nil {
		return 0, 0, 0, err
	}
	return image.Data[2], image.Data[1], image.Data[0], nil
}

// The titles of the windows, and the colours that tell what they show: the
// alarm's ground, and its key when a press counts.
const (
	alarmTitle = "Nightstand: a page"
	mainTitle  = "Nightstand"
)

// near says that two colours are the same but for the rounding of a driver.
func near(red, green, blue byte, want [3]byte) bool {
	for at, have := range []byte{red, green, blue} {
		if have > want[at]+6 || want[at] > have+6 {
			return false
		}
	}
	return true
}

var (
	alarmGround = [3]byte{0x0C, 0x0B, 0x0A}
	// textColours are the alarm's, the night's and the day's.
	textColours = [][3]byte{{0xF4, 0xDD, 0xB8}, {0xEC, 0xE7, 0xDF}, {0x23, 0x21, 0x1E}}
	lampColour  = [3]byte{0xF2, 0xB8, 0x4B}
)

// Drawn says whether the alarm's window is there and has drawn its ground, and
// words on it.
func (s *Screen) Drawn() error {
	w, err := s.Find(alarmTitle)
	if err != nil {
		return err
	}
	red, green, blue, err := s.colour(w, 8, 8)
	if err != nil {
		return err
	}
	if !near(red, green, blue, alarmGround) {
		return fmt.Errorf("the alarm's window has the ground %x %x %x", red, green, blue)
	}
	return s.Worded(alarmTitle)
}

// Worded says whether there are words in the window of this title, in the
// colour of one of the palettes.
func (s *Screen) Worded(title string) error {
	w, err := s.Find(title)
	if err != nil {
		return err
	}
	above, err := xproto.GetImage(s.connection, xproto.ImageFormatZPixmap, xproto.Drawable(s.root), int16(w.x), int16(w.y), uint16(w.width/2), uint16(w.height/2), 0xffffffff).Reply()
	if err != nil {
		return err
	}
	for pixel := range slices.Chunk(above.Data, 4) {
		if slices.ContainsFunc(textColours, func(ink [3]byte) bool { return near(pixel[2], pixel[1], pixel[0], ink) }) {
			return nil
		}
	}
	return fmt.Errorf("the window %q has no words on it", title)
}

// keyHeight is where the alarm's key is in its window, from the bottom: below
// it are the quiet buttons and the last line.
const keyHeight = 200

// Ready says whether the alarm's key shows that a press counts.
func (s *Screen) Ready() error {
	w, err := s.Find(alarmTitle)
	if err != nil {
		return err
	}
	red, green, blue, err := s.colour(w, w.width/6, w.height-keyHeight)
	if err != nil {
		return err
	}
	if !near(red, green, blue, lampColour) {
		return fmt.Errorf("the alarm's key is %x %x %x", red, green, blue)
	}
	return nil
}

// UntilReady waits until the alarm's window is up and its key counts.
func (s *Screen) UntilReady(within time.Duration) {
	s.tb.Helper()
	Eventually(s.tb, within, s.Ready)
}

// UntilNoKey waits until the alarm's window shows something else than its key.
func (s *Screen) UntilNoKey(within time.Duration) {
	s.tb.Helper()
	Eventually(s.tb, within, func() error {
		if s.Ready() == nil {
			return errors.New("the alarm's key is still there")
		}
		return s.Drawn()
	})
}
