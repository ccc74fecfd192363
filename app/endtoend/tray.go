//go:build linux

package endtoend

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	watcherName = "org.kde.StatusNotifierWatcher"
	watcherPath = "/StatusNotifierWatcher"
	itemFace    = "org.kde.StatusNotifierItem"
	menuFace    = "com.canonical.dbusmenu"
)

// Tray is one item in the tray, as the tray host sees it.
type Tray struct {
	tb   testing.TB
	item dbus.BusObject
	menu dbus.BusObject
}

// TrayItems are the items registered at the tray host now, as
// "bus name/object path".
func (d *Desktop) TrayItems() []string {
	d.tb.Helper()
	if !d.Owned(watcherName) {
		return nil
	}
	items, err := d.bus.Object(watcherName, watcherPath).GetProperty(watcherName + ".RegisteredStatusNotifierItems")
	if err != nil {
		d.tb.Fatal(err)
	}
	names, fine := items.Value().([]string)
	if !fine {
		d.tb.Fatalf("the tray host lists %v", items)
	}
	return names
}

// Tray waits until exactly one item is registered and has a picture, and
// returns it.
func (d *Desktop) Tray(within time.Duration) *Tray {
	d.tb.Helper()
	tray := &Tray{tb: d.tb}
	Eventually(d.tb, within, func() error {
		items := d.TrayItems()
		if len(items) != 1 {
			return fmt.Errorf("the tray host lists %q, not one item", items)
		}
		name, path, found := strings.Cut(items[0], "/")
		if !found {
			path = "StatusNotifierItem"
		}
		tray.item = d.bus.Object(name, dbus.ObjectPath("/"+path))
		menu, err := tray.item.GetProperty(itemFace + ".Menu")
		if err != nil {
			return err
		}
		where, fine := menu.Value().(dbus.ObjectPath)
		if !fine {
			return fmt.Errorf("the item's menu is %v", menu)
		}
		tray.menu = d.bus.Object(name, where)
		_, _, err = tray.Icon()
		return err
	})
	return tray
}

// Icon is the largest picture of the item, and a hash that is the same for the
// same picture.
func (t *Tray) Icon() (image.Image, string, error) {
	value, err := t.item.GetProperty(itemFace + ".IconPixmap")
	if err != nil {
		return nil, "", err
	}
	var pictures []struct {
		Width, Height int32
		Pixels        []byte // alpha, red, green, blue
	}
	if err := value.Store(&pictures); err != nil {
		return nil, "", err
	}
	var icon *image.NRGBA
	for _, p := range pictures {
		if len(p.Pixels) == 0 {
			continue // registered, and not drawn yet
		}
		if len(p.Pixels) != int(p.Width)*int(p.Height)*4 {
			return nil, "", fmt.Errorf("a picture of %d by %d has %d bytes", p.Width, p.Height, len(p.Pixels))
		}
		if icon != nil && int(p.Width) <= icon.Rect.Dx() {
			continue
		}
		icon = image.NewNRGBA(image.Rect(0, 0, int(p.Width), int(p.Height)))
		for i := 0; i < len(p.Pixels); i += 4 {
			x, y := i/4%int(p.Width), i/4/int(p.Width)
			icon.SetNRGBA(x, y, color.NRGBA{A: p.Pixels[i], R: p.Pixels[i+1], G: p.Pixels[i+2], B: p.Pixels[i+3]})
		}
	}
	if icon == nil {
		return nil, "", errors.New("the item has no picture")
	}
	sum := sha256.Sum256(append([]byte(icon.Rect.String()), icon.Pix...))
	return icon, hex.EncodeToString(sum[:8]), nil
}

// IconHash is the hash alone; it fails the test when the icon cannot be read.
func (t *Tray) IconHash() string {
	t.tb.Helper()
	_, hash, err := t.Icon()
	if err != nil {
		t.tb.Fatal(err)
	}
	return hash
}

// KeepIcon writes the picture as a PNG file under NIGHTSTAND_SHOTS, if that is
// set.
func (t *Tray) KeepIcon(name string) {
	t.tb.Helper()
	path := keep(name + ".png")
	if path == "" {
		return
	}
	icon, _, err := t.Icon()
	if err != nil {
		t.tb.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.tb.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.tb.Fatal(err)
	}
	if err := errors.Join(png.Encode(file, icon), file.Close()); err != nil {
		t.tb.Fatal(err)
	}
}

// Tooltip is the title and the text that are shown when the pointer rests on
// the item.
func (t *Tray) Tooltip() (title, text string) {
	t.tb.Helper()
	value, err := t.item.GetProperty(itemFace + ".ToolTip")
	if err != nil {
		t.tb.Fatal(err)
	}
	var tip struct {
		Icon   string
		Pixmap []struct {
			Width, Height int32
			Pixels        []byte
		}
		Title, Text string
	}
	if err := value.Store(&tip); err != nil {
		t.tb.Fatal(err)
	}
	return tip.Title, tip.Text
}

// Entry is one line of the menu.
type Entry struct {
	ID        int32
	Label     string
	Enabled   bool
	Visible   bool
	Checked   bool
	Separator bool
	Children  []Entry
}

// Menu is what the tray host would show.
func (t *Tray) Menu() []Entry {
	t.tb.Helper()
	entries, err := t.readMenu()
	if err != nil {
		t.tb.Fatal(err)
	}
	return entries
}

func (t *Tray) readMenu() ([]Entry, error) {
	// Programs that build their menu when it is opened want to hear this; the
	// others do not know the call.
	_ = t.menu.Call(menuFace+".AboutToShow", 0, int32(0))
	var revision uint32
	var root node
	err := t.menu.Call(menuFace+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root)
	if err != nil {
		return nil, err
	}
	entry, err := root.entry()
	return entry.Children, err
}

// node is one line of the menu as it goes over the bus: (ia{sv}av).
type node struct {
	ID         int32
	Properties map[string]dbus.Variant
	Children   []dbus.Variant
}

func (n node) entry() (Entry, error) {
	entry := Entry{ID: n.ID, Enabled: true, Visible: true}
	for name, into := range map[string]any{"label": &entry.Label, "enabled": &entry.Enabled, "visible": &entry.Visible} {
		if value, given := n.Properties[name]; given {
			if err := value.Store(into); err != nil {
				return entry, fmt.Errorf("%s of menu entry %d: %w", name, n.ID, err)
			}
		}
	}
	state, _ := n.Properties["toggle-state"].Value().(int32) // absent is off
	entry.Checked = state == 1
	kind, _ := n.Properties["type"].Value().(string) // absent is an ordinary line
	entry.Separator = kind == "separator"
	for _, child := range n.Children {
		var below node
		if err := child.Store(&below); err != nil {
			return entry, fmt.Errorf("below menu entry %d: %w", n.ID, err)
		}
		lower, err := below.entry()
		if err != nil {
			return entry, err
		}
		entry.Children = append(entry.Children, lower)
	}
	return entry, nil
}

// Find is the visible entry at this path of labels, submenu by submenu.
func (t *Tray) Find(labels ...string) (Entry, error) {
	entries, err := t.readMenu()
	if err != nil {
		return Entry{}, err
	}
	all := entries
	var found Entry
	for _, label := range labels {
		there := false
		for _, entry := range entries {
			if entry.Visible && entry.Label == label {
				found, entries, there = entry, entry.Children, true
				break
			}
		}
		if !there {
			return Entry{}, fmt.Errorf("the menu has no entry %q of %q: %+v", label, labels, all)
		}
	}
	return found, nil
}

// Click chooses the enabled entry at this path of labels and returns the
// instant just before the click. It waits up to ten seconds for the entry.
func (t *Tray) Click(labels ...string) time.Time {
	t.tb.Helper()
	var entry Entry
	Eventually(t.tb, 10*time.Second, func() error {
		var err error
		if entry, err = t.Find(labels...); err == nil && !entry.Enabled {
			err = fmt.Errorf("the entry %q is disabled", labels)
		}
		return err
	})
	now := time.Now()
	call := t.menu.Call(menuFace+".Event", 0, entry.ID, "clicked", dbus.MakeVariant(int32(0)), uint32(now.Unix()))
	if call.Err != nil {
		t.tb.Fatalf("the click on %q was refused: %v", labels, call.Err)
	}
	return now
}
