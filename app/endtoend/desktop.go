//go:build linux

package endtoend

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// readyWithin is how long each part of the desktop may take to be ready, on a
// machine that is busy with other tests.
const readyWithin = 30 * time.Second

// Options say what this desktop lacks, and what is special about it. The zero
// value is a whole desktop.
type Options struct {
	// WithoutDisplay leaves out the screen, and with it the window manager,
	// the tray host and the notification daemon.
	WithoutDisplay bool
	// WithoutBus leaves out the session bus, and with it the tray host, the
	// notification daemon and the keyring.
	WithoutBus bool
	// WithoutTrayHost is as on stock GNOME: nobody shows tray items.
	WithoutTrayHost bool
	// WithoutNotifications leaves out the notification daemon.
	WithoutNotifications bool
	// WithoutKeyring leaves out the secret service.
	WithoutKeyring bool
	// WithoutSound leaves out the sound server.
	WithoutSound bool
	// SinkProperties are added to the sink "speaker", such as
	// "device.form_factor=headphone".
	SinkProperties string
}

// Desktop is a session of its own: home, runtime folder, screen, bus, keyring,
// notification daemon, tray host and speaker. It ends with the test.
type Desktop struct {
	// Directory holds everything of this desktop; its path is short enough
	// for sockets.
	Directory string
	// Home is HOME, empty at the start but for settings of the rig.
	Home string
	// RuntimeDirectory is XDG_RUNTIME_DIR, mode 0700.
	RuntimeDirectory string
	// Display is the X display (":4"); empty without a screen.
	Display string
	// BusAddress is the address of the session bus; empty without one.
	BusAddress string

	tb            testing.TB
	options       Options
	bus           *dbus.Conn
	screen        *Process
	panel, sound  *Process
	daemon        *Process // of notifications
	notifications *Notifications
	ears          map[string][]*Process // by sink: what records it and keeps it awake
}

// Start builds the desktop and returns when every part of it is really ready.
func Start(tb testing.TB, options Options) *Desktop {
	tb.Helper()
	options.WithoutTrayHost = options.WithoutTrayHost || options.WithoutBus || options.WithoutDisplay
	options.WithoutNotifications = options.WithoutNotifications || options.WithoutBus || options.WithoutDisplay
	options.WithoutKeyring = options.WithoutKeyring || options.WithoutBus
	needAll(tb, options)

	// Not tb.TempDir: the name of the test would make sockets' paths too long.
	directory, err := os.MkdirTemp("", "night")
	if err != nil {
		tb.Fatal(err)
	}
	d := &Desktop{
		Directory:        directory,
		Home:             filepath.Join(directory, "home"),
		RuntimeDirectory: filepath.Join(directory, "run"),
		tb:               tb,
		options:          options,
		ears:             map[string][]*Process{},
	}
	tb.Cleanup(func() {
		d.endStragglers()
		// A process that is just ending may still write its last file.
		for range 20 {
			if os.RemoveAll(directory) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		tb.Logf("the folder %s could not be removed", directory)
	})
	for _, path := range []string{d.Home, d.RuntimeDirectory, filepath.Join(directory, "log"), filepath.Join(directory, "tmp")} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	// Without this, a program that finds no sound server starts one.
	d.write(filepath.Join(d.Home, ".config", "pulse", "client.conf"), "autospawn = no\n", 0o600)

	if !options.WithoutDisplay {
		d.startScreen()
	}
	if !options.WithoutBus {
		d.startBus()
	}
	if !options.WithoutSound {
		d.StartSound()
	}
	if !options.WithoutKeyring {
		d.startKeyring()
	}
	if !options.WithoutNotifications {
		d.StartNotificationDaemon()
	}
	if !options.WithoutTrayHost {
		d.StartTrayHost()
	}
	return d
}

// endStragglers ends what still runs on this desktop when everything that the
// test started has ended: an agent whose guarding parent a test has killed, a
// service that the bus has started.
func (d *Desktop) endStragglers() {
	for _, id := range d.processes() {
		_ = syscall.Kill(id, syscall.SIGKILL) // it may end by itself this moment
	}
}

// processes are the ids of everything that has this desktop's runtime folder
// in its environment.
func (d *Desktop) processes() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		d.tb.Fatal(err)
	}
	var found []int
	for _, entry := range entries {
		id, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue // not a process
		}
		environment, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "environ"))
		if err != nil {
			continue // it has ended, or belongs to somebody else
		}
		if slices.Contains(strings.Split(string(environment), "\x00"), "XDG_RUNTIME_DIR="+d.RuntimeDirectory) {
			found = append(found, id)
		}
	}
	return found
}

func needAll(tb testing.TB, options Options) {
	tb.Helper()
	if !options.WithoutDisplay {
		need(tb, "Xvfb", "openbox", "xprop", "scrot")
	}
	if !options.WithoutBus {
		need(tb, "dbus-daemon")
	}
	if !options.WithoutSound {
		need(tb, "pulseaudio", "pactl", "pacat", "parec")
	}
	if !options.WithoutKeyring {
		need(tb, "gnome-keyring-daemon")
	}
	if !options.WithoutNotifications {
		need(tb, "dunst", "dunstctl")
	}
	if !options.WithoutTrayHost {
		need(tb, "xfce4-panel")
	}
}

// Env is the whole environment of a program on this desktop; nothing of the
// real session's is in it.
func (d *Desktop) Env() []string {
	environment := []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + d.Home,
		"TMPDIR=" + filepath.Join(d.Directory, "tmp"),
		"USER=tester",
		"LOGNAME=tester",
		"SHELL=/bin/sh",
		"LANG=en_US.UTF-8",
		"XDG_RUNTIME_DIR=" + d.RuntimeDirectory,
		"PULSE_SERVER=unix:" + filepath.Join(d.RuntimeDirectory, "pulse", "native"),
		// The machine's own logind and UPower are no part of the test.
		"DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + d.systemSocket(),
		"NO_AT_BRIDGE=1",
	}
	if d.Display != "" {
		environment = append(environment, "DISPLAY="+d.Display, "XDG_SESSION_TYPE=x11", "XDG_CURRENT_DESKTOP=XFCE")
	}
	if d.BusAddress != "" {
		environment = append(environment, "DBUS_SESSION_BUS_ADDRESS="+d.BusAddress)
	}
	return environment
}

// Command prepares a program in this desktop's environment; the caller runs it.
func (d *Desktop) Command(name string, arguments ...string) *exec.Cmd {
	command := exec.Command(name, arguments...)
	command.Env = d.Env()
	command.Dir = d.Home
	return command
}

// Run starts a program in this desktop, with more environment ("NAME=value")
// if wanted. It is ended with the test, and what it printed is shown if the
// test failed.
func (d *Desktop) Run(environment []string, name string, arguments ...string) *Process {
	d.tb.Helper()
	command := d.Command(name, arguments...)
	command.Env = append(command.Env, environment...)
	return startProcess(d.tb, filepath.Base(name), filepath.Join(d.Directory, "log"), command)
}

// Output runs a program to its end and returns what it printed, standard error
// included, without the last line end. It fails the test if the program did.
func (d *Desktop) Output(name string, arguments ...string) string {
	d.tb.Helper()
	output, err := d.Command(name, arguments...).CombinedOutput()
	if err != nil {
		d.tb.Fatalf("%s %q: %v\n%s", name, arguments, err, output)
	}
	return strings.TrimRight(string(output), "\n")
}

// Bus is a connection of the test's own to the session bus.
func (d *Desktop) Bus() *dbus.Conn {
	d.tb.Helper()
	if d.bus == nil {
		d.tb.Fatal("this desktop has no session bus")
	}
	return d.bus
}

// Screenshot takes a picture of the whole screen and returns the path of the
// PNG file: under NIGHTSTAND_SHOTS if that is set, else in the desktop's own
// folder, which goes with the test.
func (d *Desktop) Screenshot(name string) string {
	d.tb.Helper()
	path := keep(name + ".png")
	if path == "" {
		path = filepath.Join(d.Directory, name+".png")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.tb.Fatal(err)
	}
	d.Output("scrot", "--overwrite", path)
	return path
}

// startScreen starts the X server on a number it finds free itself, and the
// window manager.
func (d *Desktop) startScreen() {
	d.tb.Helper()
	number, theirs, err := os.Pipe()
	if err != nil {
		d.tb.Fatal(err)
	}
	defer number.Close()
	server := d.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset")
	server.ExtraFiles = []*os.File{theirs}
	process := startProcess(d.tb, "Xvfb", filepath.Join(d.Directory, "log"), server)
	d.screen = process
	theirs.Close()
	if err := number.SetReadDeadline(time.Now().Add(readyWithin)); err != nil {
		d.tb.Fatal(err)
	}
	line, err := bufio.NewReader(number).ReadString('\n')
	if err != nil {
		d.tb.Fatalf("Xvfb did not say its number: %v\n%s", err, process.tail())
	}
	d.Display = ":" + strings.TrimSpace(line)
	manager := d.Run(nil, "openbox", "--sm-disable")
	manager.awaitReady(d.tb, readyWithin, func() error {
		// The property that every modern window manager sets when it is up.
		return d.Command("xprop", "-root", "_NET_SUPPORTING_WM_CHECK").Run()
	})
}

// StopScreen ends the X server, as when a remote desktop is cut.
func (d *Desktop) StopScreen() { d.screen.Stop() }

// busConfiguration starts nothing by itself but the settings service that the
// panel cannot be without: what this desktop lacks must not be activated
// behind the test's back.
const busConfiguration = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <servicedir>%s</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

func (d *Desktop) startBus() {
	d.tb.Helper()
	services := filepath.Join(d.Directory, "services")
	const settings = "org.xfce.Xfconf.service"
	if text, err := os.ReadFile(filepath.Join("/usr/share/dbus-1/services", settings)); err == nil {
		// Its unit belongs to the real session's systemd.
		lines := slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool {
			return strings.HasPrefix(line, "SystemdService=")
		})
		d.write(filepath.Join(services, settings), strings.Join(lines, "\n"), 0o600)
	}
	socket := filepath.Join(d.RuntimeDirectory, "bus")
	configuration := filepath.Join(d.Directory, "bus.conf")
	d.write(configuration, fmt.Sprintf(busConfiguration, socket, services), 0o600)
	d.BusAddress = "unix:path=" + socket
	process := d.Run(nil, "dbus-daemon", "--nofork", "--nopidfile", "--config-file="+configuration)
	process.awaitReady(d.tb, readyWithin, func() error {
		bus, err := dbus.Connect(d.BusAddress)
		d.bus = bus
		return err
	})
	d.tb.Cleanup(func() { d.bus.Close() })
}

// StartSound starts the sound server with its one sink "speaker", after
// StopSound or at the start of the desktop.
func (d *Desktop) StartSound() {
	d.tb.Helper()
	sink := "module-null-sink sink_name=speaker rate=48000 channels=2 format=s16le"
	if d.options.SinkProperties != "" {
		sink += " sink_properties=" + d.options.SinkProperties
	}
	d.sound = d.Run(nil, "pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1",
		"--disable-shm=yes", "-L", "module-native-protocol-unix", "-L", sink)
	d.sound.awaitReady(d.tb, readyWithin, func() error {
		sinks, err := d.Command("pactl", "list", "short", "sinks").CombinedOutput()
		if err == nil && !strings.Contains(string(sinks), "\tspeaker\t") {
			err = fmt.Errorf("no sink \"speaker\" in %q", sinks)
		}
		return err
	})
}

// AddSink adds another null sink, which does not become the default.
func (d *Desktop) AddSink(name, properties string) {
	d.tb.Helper()
	arguments := []string{"load-module", "module-null-sink", "sink_name=" + name, "rate=48000", "channels=2", "format=s16le"}
	if properties != "" {
		arguments = append(arguments, "sink_properties="+properties)
	}
	d.Output("pactl", arguments...)
}

// RemoveSink takes a sink away, as when a headset is unplugged. The sound
// server moves the streams on it to the default sink, but for those that chose
// their device and forbade that; recordings of it end.
func (d *Desktop) RemoveSink(name string) {
	d.tb.Helper()
	for _, process := range d.ears[name] {
		process.Stop() // it would go on with another sink
	}
	delete(d.ears, name)
	for _, module := range strings.Split(d.Output("pactl", "list", "short", "modules"), "\n") {
		columns := strings.Fields(module)
		if len(columns) > 2 && slices.Contains(columns, "sink_name="+name) {
			d.Output("pactl", "unload-module", columns[0])
			return
		}
	}
	d.tb.Fatalf("there is no sink %q to remove", name)
}

// StopSound ends the sound server. A Recording ends with it.
func (d *Desktop) StopSound() { d.sound.Stop() }

func (d *Desktop) startKeyring() {
	d.tb.Helper()
	daemon := d.Command("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	daemon.Stdin = strings.NewReader("a password for the night\n")
	process := startProcess(d.tb, "gnome-keyring-daemon", filepath.Join(d.Directory, "log"), daemon)
	process.awaitReady(d.tb, readyWithin, func() error {
		locked, err := d.keyringLocked()
		if err == nil && locked {
			err = errors.New("the keyring is locked")
		}
		return err
	})
}

// The secret service's names.
const (
	secretService = "org.freedesktop.secrets"
	secretPath    = "/org/freedesktop/secrets"
	secretFace    = "org.freedesktop.Secret.Service"
)

func (d *Desktop) defaultCollection() (dbus.BusObject, error) {
	if !d.Owned(secretService) {
		return nil, errors.New("nobody offers the secret service")
	}
	var path dbus.ObjectPath
	err := d.bus.Object(secretService, secretPath).Call(secretFace+".ReadAlias", 0, "default").Store(&path)
	if err == nil && path == "/" {
		err = errors.New("there is no default collection")
	}
	return d.bus.Object(secretService, path), err
}

func (d *Desktop) keyringLocked() (bool, error) {
	collection, err := d.defaultCollection()
	if err != nil {
		return false, err
	}
	locked, err := collection.GetProperty("org.freedesktop.Secret.Collection.Locked")
	if err != nil {
		return false, err
	}
	is, fine := locked.Value().(bool)
	if !fine {
		return false, fmt.Errorf("whether the keyring is locked is told as %v", locked)
	}
	return is, nil
}

// LockKeyring locks the keyring, as a session without auto-login leaves it.
func (d *Desktop) LockKeyring() {
	d.tb.Helper()
	collection, err := d.defaultCollection()
	if err != nil {
		d.tb.Fatal(err)
	}
	call := d.bus.Object(secretService, secretPath).Call(secretFace+".Lock", 0, []dbus.ObjectPath{collection.Path()})
	if call.Err != nil {
		d.tb.Fatal(call.Err)
	}
	Eventually(d.tb, readyWithin, func() error {
		locked, err := d.keyringLocked()
		if err == nil && !locked {
			err = errors.New("the keyring is not locked")
		}
		return err
	})
}

// Owned says whether somebody has this name on the session bus.
func (d *Desktop) Owned(name string) bool {
	d.tb.Helper()
	var owned bool
	if err := d.Bus().BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned); err != nil {
		d.tb.Fatalf("the session bus does not answer: %v", err)
	}
	return owned
}

// panelSettings is one small panel at the top with nothing in it but the tray.
const panelSettings = `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="length" type="uint" value="100"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
`

// StartTrayHost starts the panel that shows tray items, after StopTrayHost,
// late, or at the start of the desktop.
func (d *Desktop) StartTrayHost() {
	d.tb.Helper()
	settings := filepath.Join(d.Home, ".config", "xfce4", "xfconf", "xfce-perchannel-xml", "xfce4-panel.xml")
	if _, err := os.Stat(settings); err != nil {
		d.write(settings, panelSettings, 0o600)
	}
	d.panel = d.Run(nil, "xfce4-panel", "--disable-wm-check")
	d.panel.awaitReady(d.tb, readyWithin, func() error {
		if !d.Owned(watcherName) {
			return errors.New("nobody watches for tray items")
		}
		host, err := d.bus.Object(watcherName, watcherPath).GetProperty(watcherName + ".IsStatusNotifierHostRegistered")
		if err == nil && host.Value() != true {
			err = errors.New("no tray host is registered")
		}
		return err
	})
}

// StopTrayHost ends the panel, as when it crashes.
func (d *Desktop) StopTrayHost() {
	d.tb.Helper()
	d.panel.Stop()
	Eventually(d.tb, readyWithin, func() error {
		if d.Owned(watcherName) {
			return errors.New("somebody still watches for tray items")
		}
		return nil
	})
}

func (d *Desktop) write(path, text string, mode os.FileMode) {
	d.tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		d.tb.Fatal(err)
	}
}
