//go:build unix && !darwin

// Package desktoptest owns the private desktop that the tests of the tray and
// of the notifications run on: a screen without a monitor and a message bus,
// both of the test's own, and whatever programs the test wants on them.
package desktoptest

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Desktop is one private desktop. It ends with the test.
type Desktop struct {
	// Home is an empty directory that the programs take for the user's home.
	Home string
	// Address is where the session bus listens.
	Address string
	// EndBus kills the session bus.
	EndBus func()
	test   *testing.T
}

// New starts a screen and a bus and points the test's own environment at them.
// It skips the test where one of the programs is not installed, unless
// NIGHTSTAND_RIG=1 says that all must be there.
func New(t *testing.T, programs ...string) *Desktop {
	t.Helper()
	need(t, append(programs, "Xvfb", "dbus-daemon")...)
	d := &Desktop{Home: t.TempDir(), test: t}
	// Socket paths are limited to 107 bytes, which the test's own directory
	// can exceed.
	runtime, err := os.MkdirTemp("", "night")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(runtime) })
	d.Address = "unix:path=" + filepath.Join(runtime, "bus")
	for name, value := range map[string]string{
		"HOME": d.Home, "XDG_RUNTIME_DIR": runtime, "LANG": "en_US.UTF-8", "LC_ALL": "",
		"XDG_CONFIG_HOME": filepath.Join(d.Home, "config"), "XDG_CACHE_HOME": filepath.Join(d.Home, "cache"),
		"XDG_DATA_HOME": filepath.Join(d.Home, "data"), "DISPLAY": d.screen(),
		"WAYLAND_DISPLAY": "", "XDG_CURRENT_DESKTOP": "", "NO_AT_BRIDGE": "1",
	} {
		t.Setenv(name, value)
	}
	d.Bus()
	return d
}

func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("NIGHTSTAND_RIG") == "1" {
			t.Fatalf("%s is not installed, and NIGHTSTAND_RIG=1 says that it must be", program)
		}
		t.Skipf("%s is not installed, so there is no private desktop to test on", program)
	}
}

// screen starts Xvfb, which picks a free display number itself.
func (d *Desktop) screen() string {
	d.test.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		d.test.Fatal(err)
	}
	defer reader.Close()
	server := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1000x640x24", "-nolisten", "tcp")
	server.ExtraFiles = []*os.File{writer}
	d.run(server)
	writer.Close()
	number, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		d.test.Fatal("Xvfb did not come up: ", err)
	}
	return ":" + strings.TrimSpace(number)
}

// Bus starts the session bus. It starts no notification daemon by itself. It can be
// called again after EndBus: the address stays.
func (d *Desktop) Bus() {
	d.test.Helper()
	path := strings.TrimPrefix(d.Address, "unix:path=")
	os.Remove(path)
	// The one program that the bus may start is the panel's settings store.
	services := filepath.Join(d.Home, "services")
	if about, err := os.ReadFile("/usr/share/dbus-1/services/org.xfce.Xfconf.service"); err == nil {
		_ = os.MkdirAll(services, 0o700)
		_ = os.WriteFile(filepath.Join(services, "org.xfce.Xfconf.service"), about, 0o600)
	}
	settings := filepath.Join(d.Home, "bus.conf")
	content := `<busconfig><type>session</type><listen>` + d.Address + `</listen><servicedir>` + services + `</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`
	if err := os.WriteFile(settings, []byte(content), 0o600); err != nil {
		d.test.Fatal(err)
	}
	d.test.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address)
	d.EndBus = d.Start("dbus-daemon", "--config-file="+settings, "--nofork", "--nopidfile")
	d.Until("the session bus listens", func() bool {
		greeting, err := net.Dial("unix", path)
		if err != nil {
			return false
		}
		greeting.Close()
		return true
	})
}

// Start runs a program on the desktop until the test or the returned function
// ends it.
func (d *Desktop) Start(program string, arguments ...string) (end func()) {
	d.test.Helper()
	return d.run(exec.Command(program, arguments...))
}

func (d *Desktop) run(command *exec.Cmd) (end func()) {
	d.test.Helper()
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		d.test.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }()
	over := false
	end = func() {
		if over {
			return
		}
		over = true
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		<-ended
		if d.test.Failed() && said.Len() > 0 {
			d.test.Logf("%s said: %s", command.Path, said.String())
		}
	}
	d.test.Cleanup(end)
	return end
}

// Output runs a short program on the desktop and returns what it printed.
func (d *Desktop) Output(program string, arguments ...string) string {
	d.test.Helper()
	out, err := exec.Command(program, arguments...).CombinedOutput()
	if err != nil {
		d.test.Fatalf("%s %s: %v: %s", program, strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

// Until waits up to ten seconds for something to become true.
func (d *Desktop) Until(what string, holds func() bool) {
	d.test.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.test.Fatalf("waited in vain for: %s", what)
		}
	}
}

// Photograph writes what is on the screen to NIGHTSTAND_PICTURES/name.png, for
// somebody to look at; without that variable it does nothing.
func (d *Desktop) Photograph(name string) {
	d.test.Helper()
	directory := os.Getenv("NIGHTSTAND_PICTURES")
	if directory == "" {
		return
	}
	time.Sleep(500 * time.Millisecond)
	d.Output("scrot", "--overwrite", filepath.Join(directory, name+".png"))
}

// Panel starts xfce4-panel with nothing but a place for tray icons, on a light
// or a dark ground, at the top of the screen.
func (d *Desktop) Panel(dark bool) (end func()) {
	d.test.Helper()
	ground := "0.98"
	if dark {
		ground = "0.09"
	}
	colour := strings.Repeat(`<value type="double" value="`+ground+`"/>`, 3)
	settings := `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
 <property name="configver" type="int" value="2"/>
 <property name="panels" type="array"><value type="int" value="1"/>
  <property name="panel-1" type="empty">
   <property name="position" type="string" value="p=6;x=0;y=0"/>
   <property name="length" type="uint" value="100"/>
   <property name="position-locked" type="bool" value="true"/>
   <property name="size" type="uint" value="32"/>
   <property name="background-style" type="uint" value="1"/>
   <property name="background-rgba" type="array">` + colour + `<value type="double" value="1"/></property>
   <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
  </property>
 </property>
 <property name="plugins" type="empty"><property name="plugin-1" type="string" value="systray"/></property>
</channel>`
	directory := filepath.Join(d.Home, "config/xfce4/xfconf/xfce-perchannel-xml")
	if err := os.MkdirAll(directory, 0o700); err != nil {
		d.test.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "xfce4-panel.xml"), []byte(settings), 0o600); err != nil {
		d.test.Fatal(err)
	}
	return d.Start("xfce4-panel", "--disable-wm-check", "--sm-client-disable")
}
