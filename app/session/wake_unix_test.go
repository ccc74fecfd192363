//go:build unix && !darwin

package session

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
	"github.com/jezek/xgb"
	"github.com/jezek/xgb/screensaver"
	"github.com/jezek/xgb/xproto"

	"nightstand/app/session/sessiontest"
	"nightstand/tray/desktoptest"
)

func TestWhateverIsThereLightsTheScreenUp(t *testing.T) {
	alone(t)
	bus := sessionBus(t)
	saver := sessiontest.NewScreenSaver(t, bus.Address, sessiontest.FreedesktopScreenSaver)
	gnome := sessiontest.NewScreenSaver(t, bus.Address, sessiontest.GnomeScreenSaver)
	power := newMutter(t, bus.Address)
	server := newServer(t, monitorsOff)
	start := time.Now()
	how := WakeScreen(t.Context())
	if want := []string{"gnome screen saver", "mutter", "screen saver", "x11"}; !slices.Equal(how, want) {
		t.Errorf("%q answered, want %q", how, want)
	}
	if took := time.Since(start); took > wakePatience {
		t.Errorf("it took %v", took)
	}
	for name, saver := range map[string]*sessiontest.ScreenSaver{"freedesktop": saver, "gnome": gnome} {
		if woken := saver.Woken(); len(woken) != 1 || woken[0].Before(start) {
			t.Errorf("the screen saver of %s was woken at %v", name, woken)
		}
	}
	if mode := power(); mode != 0 {
		t.Errorf("Mutter's screens are in power mode %d", mode)
	}
	if got, want := server.asked(), []string{"reset the screen saver", "monitors to power level 0"}; !slices.Equal(got, want) {
		t.Errorf("the X server was asked to %q, want %q", got, want)
	}
}

func TestARealXServerLightsItsScreenUp(t *testing.T) {
	desktoptest.New(t)
	client, err := xgb.NewConn()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := screensaver.Init(client); err != nil {
		t.Fatal(err)
	}
	root := xproto.Drawable(xproto.Setup(client).DefaultScreen(client).Root)
	blank := func() bool {
		t.Helper()
		info, err := screensaver.QueryInfo(client, root).Reply()
		if err != nil {
			t.Fatal(err)
		}
		return info.State == screensaver.StateOn
	}
	if err := xproto.ForceScreenSaverChecked(client, xproto.ScreenSaverActive).Check(); err != nil {
		t.Fatal(err)
	}
	if !blank() {
		t.Fatal("the screen was not blank to begin with")
	}
	if how := WakeScreen(t.Context()); !slices.Equal(how, []string{"x11"}) {
		t.Errorf("%q answered", how)
	}
	if blank() {
		t.Error("the screen is still blank")
	}
}

func TestMonitorsThatAreOnAreLeftAlone(t *testing.T) {
	for why, state := range map[string]power{
		"on":                             {there: true, enabled: true},
		"never switched off to save any": {there: true, level: 3},
		"that cannot be switched off":    {},
	} {
		alone(t)
		server := newServer(t, state)
		if how := WakeScreen(t.Context()); !slices.Equal(how, []string{"x11"}) {
			t.Errorf("with monitors %s, %q answered", why, how)
		}
		if got := server.asked(); !slices.Equal(got, []string{"reset the screen saver"}) {
			t.Errorf("with monitors %s, the X server was asked to %q", why, got)
		}
	}
}

func TestLightingTheScreenUpWaitsForNobody(t *testing.T) {
	alone(t)
	bus := sessionBus(t)
	sessiontest.NewScreenSaver(t, bus.Address, sessiontest.FreedesktopScreenSaver).Hang()
	gnome := sessiontest.NewScreenSaver(t, bus.Address, sessiontest.GnomeScreenSaver)
	server := newServer(t, monitorsOff)
	server.hang()
	for range 2 {
		start := time.Now()
		how := WakeScreen(t.Context())
		if took := time.Since(start); took > wakePatience+200*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if !slices.Equal(how, []string{"gnome screen saver"}) {
			t.Errorf("%q answered", how)
		}
	}
	if woken := gnome.Woken(); len(woken) != 2 {
		t.Errorf("the screen saver that answers was woken at %v", woken)
	}
	if calls := server.calls(); calls != 1 {
		t.Errorf("an X server that hangs was called %d times", calls)
	}
}

func TestLightingTheScreenUpEndsWithItsContext(t *testing.T) {
	alone(t)
	sessionBus(t).Freeze()
	ctx, end := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer end()
	start := time.Now()
	if how := WakeScreen(ctx); len(how) > 0 {
		t.Errorf("%q answered", how)
	}
	if took := time.Since(start); took > wakePatience/2 {
		t.Errorf("it took %v", took)
	}
}

// newMutter stands in for GNOME's compositor with its screens off, and returns
// what tells their power mode.
func newMutter(t *testing.T, address string) (power func() int32) {
	t.Helper()
	const name = "org.gnome.Mutter.DisplayConfig"
	connection, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	properties, err := prop.Export(connection, pathOf(name), prop.Map{name: {
		"PowerSaveMode": {Value: int32(3), Writable: true, Emit: prop.EmitTrue},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := connection.RequestName(name, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return func() int32 { return properties.GetMust(name, "PowerSaveMode").(int32) }
}

// power is what an X server does to save the monitors' power (DPMS).
type power struct {
	there, enabled bool
	level          byte
}

var monitorsOff = power{there: true, enabled: true, level: 3}

// server stands in for an X server; Xvfb has no monitors to switch off. It
// speaks as much of the protocol as is needed to be woken.
type server struct {
	power power

	mu          sync.Mutex
	requests    []string
	connections int
	hangs       bool
}

// newServer offers an X server as DISPLAY.
func newServer(t *testing.T, power power) *server {
	t.Helper()
	// A display can be named by the path of its socket, which ends in ":0".
	display := filepath.Join(sessiontest.ShortFolder(t), "x:0")
	listener, err := net.Listen("unix", display)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DISPLAY", display)
	t.Setenv("XAUTHORITY", filepath.Join(filepath.Dir(display), "none"))
	s := &server{power: power}
	done, end := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	t.Cleanup(func() {
		end()
		listener.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(done, func() { connection.Close() })
			serving.Go(func() {
				defer connection.Close()
				_ = s.serve(connection) // until the client goes
			})
		}
	})
	return s
}

func (s *server) hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangs = true
}

// asked is what the server was asked to do.
func (s *server) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// calls is how often somebody connected.
func (s *server) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

func (s *server) note(request string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, request)
}

// serve speaks to one client, little-endian, until it goes.
func (s *server) serve(client net.Conn) error {
	s.mu.Lock()
	s.connections++
	hangs := s.hangs
	s.mu.Unlock()
	if hangs {
		_, err := io.Copy(io.Discard, client)
		return err
	}
	if _, err := io.ReadFull(client, make([]byte, 12)); err != nil { // no authority follows
		return err
	}
	welcome := make([]byte, 40)
	welcome[0], welcome[2], welcome[6] = 1, 11, 8 // yes, version 11, eight more words
	binary.LittleEndian.PutUint32(welcome[16:], 0x1fffff)
	if _, err := client.Write(welcome); err != nil {
		return err
	}
	for sequence := uint16(1); ; sequence++ {
		head := make([]byte, 4)
		if _, err := io.ReadFull(client, head); err != nil {
			return err
		}
		rest := make([]byte, 4*int(binary.LittleEndian.Uint16(head[2:]))-4)
		if _, err := io.ReadFull(client, rest); err != nil {
			return err
		}
		reply := s.answer(head[0], head[1], rest)
		if reply == nil {
			continue
		}
		reply[0] = 1
		binary.LittleEndian.PutUint16(reply[2:], sequence)
		if _, err := client.Write(reply); err != nil {
			return err
		}
	}
}

// answer carries one request out. Requests without an answer return nil.
func (s *server) answer(request, detail byte, rest []byte) []byte {
	const (
		getInputFocus    = 43
		queryExtension   = 98
		forceScreenSaver = 115
		extension        = 140 // the number this server gives to DPMS
		dpmsForceLevel   = 6
		dpmsInfo         = 7
	)
	reply := make([]byte, 32)
	switch {
	case request == getInputFocus:
		return reply
	case request == queryExtension:
		if s.power.there && string(rest[4:8]) == "DPMS" {
			reply[8], reply[9] = 1, extension
		}
		return reply
	case request == forceScreenSaver && detail == 0:
		s.note("reset the screen saver")
	case request == extension && detail == dpmsForceLevel:
		s.note("monitors to power level " + string('0'+rest[0]))
	case request == extension && detail == dpmsInfo:
		reply[8] = s.power.level
		if s.power.enabled {
			reply[10] = 1
		}
		return reply
	default:
		s.note("do something else")
	}
	return nil
}
