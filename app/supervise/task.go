package supervise

import (
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode/utf16"
)

// The Task Scheduler's own document, as far as we use it. The order of the
// fields is the order its schema asks for.
type task struct {
	XMLName      xml.Name         `xml:"http://schemas.microsoft.com/windows/2004/02/mit/task Task"`
	Version      string           `xml:"version,attr"`
	Registration taskRegistration `xml:"RegistrationInfo"`
	Logon        taskLogon        `xml:"Triggers>LogonTrigger"`
	Principal    taskPrincipal    `xml:"Principals>Principal"`
	Settings     taskSettings     `xml:"Settings"`
	Actions      taskActions      `xml:"Actions"`
}

type taskRegistration struct {
	Description string
}

type taskLogon struct {
	Enabled bool
	UserID  string `xml:"UserId"`
}

type taskPrincipal struct {
	ID        string `xml:"id,attr"`
	UserID    string `xml:"UserId"`
	LogonType string
	RunLevel  string
}

type taskSettings struct {
	MultipleInstancesPolicy    string
	DisallowStartIfOnBatteries bool
	StopIfGoingOnBatteries     bool
	StartWhenAvailable         bool
	StopOnIdleEnd              bool   `xml:"IdleSettings>StopOnIdleEnd"`
	ExecutionTimeLimit         string // PT0S is without limit
	Priority                   int    // 7, the default, is below normal
	RestartInterval            string `xml:"RestartOnFailure>Interval"`
	RestartCount               int    `xml:"RestartOnFailure>Count"`
}

type taskActions struct {
	Context string `xml:",attr"`
	Exec    taskExec
}

type taskExec struct {
	Command   string
	Arguments string
}

// scheduledTask is the document for "schtasks /Create /XML". It starts the
// guarding parent, because the Task Scheduler waits at least a minute before
// it starts something again and knows no watchdog. It cannot set variables
// either, so the home goes along as an argument. user is the security
// identifier or the name of the user at whose logon it starts.
func scheduledTask(r Registration, user string) ([]byte, error) {
	arguments := []string{"agent", "--guarded", "--supervisor=" + string(TaskScheduler)}
	if r.Home != "" {
		arguments = append(arguments, "--home="+r.Home)
	}
	for i, argument := range arguments {
		arguments[i] = windowsQuote(argument)
	}
	return xml.MarshalIndent(task{
		Version:      "1.2",
		Registration: taskRegistration{Description: mark + `; "nightstand uninstall" removes it.`},
		Logon:        taskLogon{Enabled: true, UserID: user},
		Principal:    taskPrincipal{ID: "Author", UserID: user, LogonType: "InteractiveToken", RunLevel: "LeastPrivilege"},
		Settings: taskSettings{
			MultipleInstancesPolicy: "IgnoreNew",
			StartWhenAvailable:      true,
			ExecutionTimeLimit:      "PT0S",
			Priority:                4,
			RestartInterval:         "PT1M",
			RestartCount:            999,
		},
		Actions: taskActions{Context: "Author", Exec: taskExec{Command: r.Executable, Arguments: strings.Join(arguments, " ")}},
	}, "", "  ")
}

// utf16File is a document as schtasks reads it: little-endian UTF-16 with a
// byte order mark and a declaration that says so.
func utf16File(document []byte) []byte {
	text := "\ufeff" + `<?xml version="1.0" encoding="UTF-16"?>` + "\r\n" + string(document)
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return out
}

// windowsQuote quotes one argument the way Windows programs take a command
// line apart: backslashes count only before a quotation mark.
func windowsQuote(argument string) string {
	if argument != "" && !strings.ContainsAny(argument, " \t\"") {
		return argument
	}
	var out strings.Builder
	out.WriteByte('"')
	backslashes := 0
	for _, r := range argument {
		switch r {
		case '\\':
			backslashes++
			continue
		case '"':
			out.WriteString(strings.Repeat(`\`, 2*backslashes+1))
		default:
			out.WriteString(strings.Repeat(`\`, backslashes))
		}
		backslashes = 0
		out.WriteRune(r)
	}
	out.WriteString(strings.Repeat(`\`, 2*backslashes))
	out.WriteByte('"')
	return out.String()
}

var variable = regexp.MustCompile(`%([^%]+)%`)

// taskWouldChange names the part of a path that the Task Scheduler would
// replace: it fills in variables, and there is no way to write them so that
// they stay. Empty when it leaves the path alone.
func taskWouldChange(path string) string {
	for i := 0; i < len(path); i++ {
		// Overlapping pairs count: in "%a%TEMP%" it is the second.
		if found := variable.FindStringSubmatch(path[i:]); found != nil && strings.HasPrefix(path[i:], found[0]) {
			if _, set := os.LookupEnv(found[1]); set {
				return found[0]
			}
		}
	}
	if i := strings.Index(path, "$("); i >= 0 {
		return path[i:min(len(path), i+2)]
	}
	return ""
}

// checkForTask refuses paths that would not arrive as they are.
func checkForTask(r Registration) error {
	for _, path := range []string{r.Executable, r.Home} {
		if part := taskWouldChange(path); part != "" {
			return fmt.Errorf("nothing was installed, because the Task Scheduler would replace %q in the path %q; move Nightstand to a folder with a plainer name", part, path)
		}
	}
	return nil
}
