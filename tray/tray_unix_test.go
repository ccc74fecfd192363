//go:build unix && !darwin

package tray

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"nightstand/app/session"
	"nightstand/assets"
	"nightstand/tray/desktoptest"
)

// Without a session bus the libraries below would start one with dbus-launch
// and leave it behind, and panic at the end.
func TestWithoutABusItSaysSoAndStartsNone(t *testing.T) {
	directory := t.TempDir()
	mark := filepath.Join(directory, "launched")
	script := "#!/bin/sh\ntouch " + mark + "\nexit 1\n"
	if err := os.WriteFile(filepath.Join(directory, "dbus-launch"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", directory+":"+os.Getenv("PATH"))
	t.Setenv("XDG_RUNTIME_DIR", directory)
	for _, address := range []string{"", "autolaunch:", "unix:path=" + filepath.Join(directory, "nobody")} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		said := make(chan Health, 10)
		tray := New(Options{Health: func(h Health) { said <- h }})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { tray.Run(ctx); close(ended) }()
		tray.Show(View{State: Page, Count: 2})
		health := <-said
		if health.Shown || health.Reason != NoSessionBus || health.Sentence == "" {
			t.Errorf("with the address %q it said %+v", address, health)
		}
		stop()
		<-ended
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("dbus-launch was called")
	}
}

// person looks at the icon and clicks its menu the way a panel does.
type person struct {
	*testing.T
	desktop *desktoptest.Desktop
	bus     *dbus.Conn
}

func (p *person) property(of dbus.ObjectPath, face, name string) dbus.Variant {
	p.Helper()
	value, err := session.Property(p.bus.Object(itemName(), of), face, name)
	if err != nil {
		p.Fatalf("reading %s: %v", name, err)
	}
	return value
}

func (p *person) tooltip() string {
	var told struct {
		Icon     string
		Pictures []struct {
			Width, Height int32
			Pixels        []byte
		}
		Title, Text string
	}
	if err := p.property("/StatusNotifierItem", "org.kde.StatusNotifierItem", "ToolTip").Store(&told); err != nil {
		p.Fatal(err)
	}
	return told.Title
}

// sees says whether the icon on the bus is, pixel by pixel, the lamp.
func (p *person) sees(light assets.Light, count int) bool {
	p.Helper()
	var pictures []struct {
		Width, Height int32
		Pixels        []byte
	}
	if err := p.property("/StatusNotifierItem", "org.kde.StatusNotifierItem", "IconPixmap").Store(&pictures); err != nil {
		p.Fatal(err)
	}
	lamp, _, err := image.Decode(bytes.NewReader(assets.TrayIcon(light, count)))
	if err != nil {
		p.Fatal(err)
	}
	var want []byte
	for y := range 64 {
		for x := range 64 {
			r, g, b, a := lamp.At(x, y).RGBA()
			want = append(want, byte(a>>8), byte(r>>8), byte(g>>8), byte(b>>8))
		}
	}
	return len(pictures) == 1 && bytes.Equal(pictures[0].Pixels, want)
}

type menuEntry struct {
	ID       int32
	Details  map[string]dbus.Variant
	Children []dbus.Variant
}

// menu reads the visible entries, with their ids, from the top.
func (p *person) menu() (labels []string, ids map[string]int32) {
	p.Helper()
	ids = map[string]int32{}
	var version uint32
	var root menuEntry
	object := p.bus.Object(itemName(), "/StatusNotifierItem/menu")
	if err := session.Call(object, false, "com.canonical.dbusmenu.GetLayout", []any{int32(0), int32(-1), []string{}}, &version, &root); err != nil {
		p.Fatal(err)
	}
	var walk func(menuEntry)
	walk = func(entry menuEntry) {
		for _, child := range entry.Children {
			var each menuEntry
			if err := dbus.Store([]any{child.Value()}, &each); err != nil {
				p.Fatal(err)
			}
			if visible, ok := each.Details["visible"]; ok && visible.Value() == false {
				continue
			}
			if label, ok := each.Details["label"]; ok {
				labels = append(labels, label.Value().(string))
				ids[label.Value().(string)] = each.ID
			}
			walk(each)
		}
	}
	walk(root)
	return labels, ids
}

func (p *person) clicks(label string) {
	p.Helper()
	labels, ids := p.menu()
	id, ok := ids[label]
	if !ok {
		p.Fatalf("the menu has no %q, it reads %q", label, labels)
	}
	object := p.bus.Object(itemName(), "/StatusNotifierItem/menu")
	if err := session.Call(object, false, "com.canonical.dbusmenu.Event",
		[]any{id, "clicked", dbus.MakeVariant(""), uint32(0)}); err != nil {
		p.Fatal(err)
	}
}

// One process has one icon for its whole life, so this is one long evening in
// a process of its own.
func TestAnEveningInThePanel(t *testing.T) {
	if os.Getenv("NIGHTSTAND_EVENING") == "" {
		evening := exec.Command(os.Args[0], "-test.run=^TestAnEveningInThePanel$", "-test.v")
		evening.Env = append(os.Environ(), "NIGHTSTAND_EVENING=1")
		said, err := evening.CombinedOutput()
		switch {
		case err != nil:
			t.Fatalf("%v\n%s", err, said)
		case bytes.Contains(said, []byte("--- SKIP")):
			t.Skipf("%s", said)
		}
		t.Logf("%s", said)
		return
	}
	retry = 300 * time.Millisecond
	desktop := desktoptest.New(t, "xfce4-panel", "openbox")
	bus, err := session.Dial()
	if err != nil {
		t.Fatal(err)
	}
	you := &person{T: t, desktop: desktop, bus: bus}
	defer func() { you.bus.Close() }()
	desktop.Start("openbox")

	health := make(chan Health, 20)
	answered := make(chan []string, 20)
	asked := make(chan string, 200)
	tray := New(Options{
		Health: func(h Health) { health <- h },
		Actions: Actions{
			Acknowledge: func(ids []string) { answered <- ids },
			Hush:        func() { asked <- "hush" },
			Dismiss:     func(id string) { asked <- "dismiss " + id },
			Open:        func() { asked <- "open" },
			Quit:        func() { asked <- "quit" },
		},
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { tray.Run(ctx); close(ended) }()
	// Clean up before the desktop goes, whatever fails.
	defer func() { stop(); <-ended }()

	// A desktop without a place for icons, as GNOME comes.
	if first := listens(t, "no host", health); first.Reason != NoHost || first.Shown {
		t.Fatalf("without a panel it said %+v", first)
	}
	tray.Show(View{State: Armed, Tooltip: "Armed. You would hear a page right now.", Status: "Armed since 22:40."})

	endPanel := desktop.Panel(true)
	if found := listens(t, "the panel", health); !found.Shown {
		t.Fatalf("with a panel it said %+v", found)
	}
	if !you.sees(assets.Lit, 0) {
		t.Error("the icon is not the lit lamp")
	}
	if got := you.tooltip(); got != "Armed. You would hear a page right now." {
		t.Errorf("the tooltip reads %q", got)
	}
	desktop.Output("xdotool", "mousemove", "16", "16")
	time.Sleep(700 * time.Millisecond)
	desktop.Photograph("tray-armed-tooltip")

	// Three pages come.
	two := []Item{
		{ID: "p1", Title: "critical: orders <db_1> & more lose data, 12 s", CanAcknowledge: true},
		{ID: "p2", Title: "degraded: checkout is slow, 40 s", CanAcknowledge: true},
		{ID: "p3", Title: "minor: backup is late, yours since 03:02"},
	}
	tray.Show(View{State: Page, Count: 2, Tooltip: "2 pages want you.", Status: "2 pages want you. On shift until Monday 09:00.",
		Pages: two, OnShift: true, Hush: "Hush: quiet for 60 seconds, answers nothing",
		Notices: []Item{{ID: "n1", Title: "Dana took “mail queue grows” at 03:05. It is no longer yours."}}})
	desktop.Until("the red lamp", func() bool { return you.sees(assets.Red, 2) })
	if got := you.tooltip(); got != "2 pages want you." {
		t.Errorf("the tooltip reads %q", got)
	}
	desktop.Until("the pages in the menu", func() bool { labels, _ := you.menu(); return slices.Contains(labels, "Acknowledge all (2)") })
	labels, _ := you.menu()
	want := []string{
		"2 pages want you. On shift until Monday 09:00.",
		"Acknowledge all (2)",
		"Acknowledge: critical: orders <db__1> & more lose data, 12 s",
		"Acknowledge: degraded: checkout is slow, 40 s",
		"minor: backup is late, yours since 03:02",
		"Hush: quiet for 60 seconds, answers nothing",
		"Dismiss: Dana took “mail queue grows” at 03:05. It is no longer yours.",
		"Open Nightstand",
		"Quit…",
		"You are on shift.",
		"Stay",
		"Quit anyway: pages will not ring here",
	}
	if !slices.Equal(labels, want) {
		t.Errorf("the menu reads\n%s", strings.Join(labels, "\n"))
	}

	// Too early a click answers nothing; hush is allowed at once.
	you.clicks("Acknowledge all (2)")
	you.clicks("Hush: quiet for 60 seconds, answers nothing")
	if got := listens(t, "hush", asked); got != "hush" {
		t.Errorf("hush asked for %q", got)
	}
	select {
	case ids := <-answered:
		t.Errorf("a click within the first second answered %v", ids)
	default:
	}
	time.Sleep(settle)
	pressedAt := time.Now()
	you.clicks("Acknowledge all (2)")
	if ids := listens(t, "acknowledge all", answered); !slices.Equal(ids, []string{"p1", "p2"}) {
		t.Errorf("acknowledge all answered %v", ids)
	}
	t.Logf("click to action: %v", time.Since(pressedAt))
	you.clicks("Acknowledge: degraded: checkout is slow, 40 s")
	if ids := listens(t, "one page", answered); !slices.Equal(ids, []string{"p2"}) {
		t.Errorf("the page's entry answered %v", ids)
	}
	you.clicks("Dismiss: Dana took “mail queue grows” at 03:05. It is no longer yours.")
	if got := listens(t, "dismiss", asked); got != "dismiss n1" {
		t.Errorf("dismiss asked for %q", got)
	}
	you.clicks("Quit anyway: pages will not ring here")
	if got := listens(t, "quit", asked); got != "quit" {
		t.Errorf("quit asked for %q", got)
	}

	// A change of words while the menu is open moves no entry.
	_, before := you.menu()
	desktop.Output("xdotool", "mousemove", "16", "16", "click", "3")
	desktop.Photograph("tray-page-menu")
	desktop.Output("xdotool", "key", "Up", "Right")
	desktop.Photograph("tray-quit-question")
	desktop.Output("xdotool", "key", "Left")
	tray.Show(View{State: Page, Count: 1, Tooltip: "1 page wants you.", Status: "1 page wants you.", Pages: two[1:], OnShift: true})
	desktop.Until("the number one", func() bool { return you.sees(assets.Red, 1) })
	desktop.Until("the shorter menu", func() bool { labels, _ := you.menu(); return len(labels) == 8 })
	if _, after := you.menu(); after["Open Nightstand"] != before["Open Nightstand"] {
		t.Error("the menu was rebuilt: a click on its way would be lost")
	}
	desktop.Photograph("tray-page-menu-shorter")
	desktop.Output("xdotool", "key", "Escape")

	// No click may be lost while the words change all the time.
	for i := range 100 {
		tray.Show(View{State: Page, Count: 1, Tooltip: fmt.Sprint("Turn ", i), Status: fmt.Sprint("Turn ", i), Hush: "Hush: quiet for 60 seconds, answers nothing", OnShift: true})
		if i == 0 {
			desktop.Until("hush", func() bool { labels, _ := you.menu(); return len(labels) > 1 && strings.HasPrefix(labels[1], "Hush") })
		}
		you.clicks("Hush: quiet for 60 seconds, answers nothing")
	}
	for range 100 {
		listens(t, "each of a hundred clicks", asked)
	}

	// The panel goes and comes back, light this time.
	endPanel()
	if gone := listens(t, "the panel's end", health); gone.Reason != Lost || gone.Shown {
		t.Errorf("after the panel ended it said %+v", gone)
	}
	tray.Show(View{State: Blind, Tooltip: "Blind for 1 min: the paging service cannot be reached.", Status: "Blind for 1 min."})
	desktop.Panel(false)
	if back := listens(t, "the panel's return", health); !back.Shown {
		t.Errorf("when the panel returned it said %+v", back)
	}
	if !you.sees(assets.Crossed, 0) {
		t.Error("the icon is not the crossed lamp")
	}
	tray.Show(View{State: Blind, Tooltip: "Blind for 2 min: the paging service cannot be reached.", Status: "Blind for 2 min.", OnShift: true})
	time.Sleep(1500 * time.Millisecond)
	desktop.Output("xdotool", "mousemove", "12", "16", "click", "3")
	time.Sleep(300 * time.Millisecond)
	desktop.Output("xdotool", "key", "Up", "Right")
	desktop.Photograph("tray-quit-question-after-restart")
	desktop.Output("xdotool", "key", "Escape", "Escape")
	desktop.Photograph("tray-blind-light")
	for _, each := range []struct {
		state State
		light assets.Light
	}{{NotArmed, assets.Half}, {Acknowledged, assets.Amber}, {OffShift, assets.Unlit}} {
		tray.Show(View{State: each.state, Tooltip: "Tonight."})
		desktop.Until(string(each.light), func() bool { return you.sees(each.light, 0) })
		desktop.Photograph("tray-" + string(each.state) + "-light")
	}

	// The bus dies under it: painting goes on into the void, and nothing else.
	desktop.EndBus()
	if gone := listens(t, "the bus's end", health); gone.Shown {
		t.Errorf("after the bus ended it said %+v", gone)
	}
	tray.Show(View{State: Page, Count: 3, Tooltip: "3 pages want you.", Status: "3 pages want you."})
	desktop.Bus()
	desktop.Panel(true)
	if back := listens(t, "the new bus", health); !back.Shown {
		t.Errorf("on the new bus it said %+v", back)
	}
	if you.bus, err = session.Dial(); err != nil {
		t.Fatal(err)
	}
	desktop.Until("the red lamp on the new bus", func() bool { return you.sees(assets.Red, 3) })
	desktop.Photograph("tray-new-bus")
}

func listens[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(15 * time.Second):
		t.Fatalf("waited in vain for: %s", what)
		panic("not reached")
	}
}
