package supervise

import (
	"fmt"
	"strings"
)

// unitName is the systemd user unit.
const unitName = "nightstand.service"

// systemdUnit is the text of the unit. Its times add up to the promise: 12 s
// without a beat, 2 s to leave a trace of what hung, half a second to the next
// start.
//
// It starts with the user's manager, so with a display and without one. It is
// not hardened by sandboxing: that would take from the agent the sound server,
// the session bus or the programs that open a VPN. OOMPolicy keeps the agent
// when the system kills one of its windows for memory, and no core dump may
// hold a token.
func systemdUnit(r Registration) string {
	var home string
	if r.Home != "" {
		home = "Environment=" + systemdQuote("NIGHTSTAND_HOME="+r.Home) + "\n"
	}
	return fmt.Sprintf(`# %s; "nightstand uninstall" removes it.
[Unit]
Description=Nightstand, the on-call companion
After=dbus.socket pipewire-pulse.socket pulseaudio.socket
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=%s
Environment=%s=%s
%sRestart=on-failure
RestartSec=500ms
RestartPreventExitStatus=%d
TimeoutStartSec=30
WatchdogSec=12
TimeoutAbortSec=2
TimeoutStopSec=10
KillMode=mixed
OOMPolicy=continue
LimitCORE=0

[Install]
WantedBy=default.target
`, mark, systemdStart(r.Executable), supervisorVariable, Systemd, home, Final)
}

// systemdStart is the command line. Systemd takes no program with a quotation
// mark or a backslash in its path, however it is quoted; as an argument to a
// shell it does. The colon keeps systemd from replacing variables in it.
func systemdStart(executable string) string {
	if strings.ContainsAny(executable, `"'\`) {
		return `:/bin/sh -c "exec \"$0\" agent" ` + systemdQuote(executable)
	}
	return systemdQuote(executable) + " agent"
}

// systemdQuote quotes one word for a unit file. A dollar sign stays single:
// variables are replaced neither in the program's path nor in Environment=.
func systemdQuote(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(word) + `"`
}

// autostartEntry is the text of a desktop entry that starts the guarding
// parent when a desktop session begins.
func autostartEntry(r Registration) string {
	words := []string{r.Executable, "agent", "--guarded"}
	if r.Home != "" {
		words = append([]string{"env", "NIGHTSTAND_HOME=" + r.Home}, words...)
	}
	for i, word := range words {
		words[i] = desktopQuote(word)
	}
	return fmt.Sprintf(`# %s; "nightstand uninstall" removes it.
[Desktop Entry]
Type=Application
Name=Nightstand
Comment=Rings when you are paged
Exec=%s
Terminal=false
StartupNotify=false
`, mark, strings.Join(words, " "))
}

// desktopQuote quotes one word for Exec= of a desktop entry, where quoting has
// two storeys: the word's own, and that of every value in the file.
func desktopQuote(word string) string {
	word = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`, `%`, `%%`).Replace(word)
	return strings.ReplaceAll(`"`+word+`"`, `\`, `\\`)
}
