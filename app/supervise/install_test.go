package supervise

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// awkward is a path with everything that one of the formats treats specially.
const awkward = `/opt/Jürgen's "night" & <day> 100% $HOME \ back` + "`tick`" + `/; night stand`

func TestSystemdUnitKeepsItsPromises(t *testing.T) {
	unit := systemdUnit(Registration{Executable: "/usr/bin/nightstand"})
	for _, line := range []string{
		"Type=notify", "WatchdogSec=12", "Restart=on-failure", "RestartSec=500ms", "StartLimitIntervalSec=0",
		`ExecStart="/usr/bin/nightstand" agent`, "WantedBy=default.target", "RestartPreventExitStatus=78",
	} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit lacks the line %q:\n%s", line, unit)
		}
	}
	if strings.Contains(unit, "NIGHTSTAND_HOME") {
		t.Errorf("without a home the unit names one:\n%s", unit)
	}
}

func TestSystemdQuote(t *testing.T) {
	for word, want := range map[string]string{
		`/usr/bin/nightstand`: `"/usr/bin/nightstand"`,
		`/a b/100%/$x`:        `"/a b/100%%/$x"`,
		`/a"b\c`:              `"/a\"b\\c"`,
		`/ü & ;`:              `"/ü & ;"`,
	} {
		if got := systemdQuote(word); got != want {
			t.Errorf("%s is written %s, want %s", word, got, want)
		}
	}
}

// undoDesktop reads one Exec= line the way a desktop does: first the value's
// escapes, then the words' quotes, then the percent codes.
func undoDesktop(t *testing.T, line string) []string {
	t.Helper()
	unescape := func(text, allowed string) string {
		var out strings.Builder
		for i := 0; i < len(text); i++ {
			if text[i] == '\\' && i+1 < len(text) {
				if i++; !strings.Contains(allowed, text[i:i+1]) {
					t.Fatalf("a backslash before %q in %q", text[i], text)
				}
			}
			out.WriteByte(text[i])
		}
		return out.String()
	}
	value := unescape(line, `\`)
	var words []string
	for value = strings.TrimSpace(value); value != ""; value = strings.TrimSpace(value) {
		if value[0] != '"' {
			t.Fatalf("a word without quotes: %q", value)
		}
		end := 1
		for ; end < len(value) && value[end] != '"'; end++ {
			if value[end] == '\\' {
				end++
			}
		}
		word := unescape(value[1:end], "\\\"`$")
		words = append(words, strings.ReplaceAll(word, "%%", "%"))
		value = value[end+1:]
	}
	return words
}

func TestAutostartEntryReadsBack(t *testing.T) {
	entry := autostartEntry(Registration{Executable: awkward, Home: awkward + "/home"})
	_, rest, found := strings.Cut(entry, "\nExec=")
	if !found {
		t.Fatalf("no Exec line:\n%s", entry)
	}
	line, _, _ := strings.Cut(rest, "\n")
	got := undoDesktop(t, line)
	want := []string{"env", "NIGHTSTAND_HOME=" + awkward + "/home", awkward, "agent", "--guarded"}
	if !slices.Equal(got, want) {
		t.Errorf("read back\n%q, want\n%q", got, want)
	}
	if !ours([]byte(entry)) {
		t.Error("it does not bear our mark")
	}
}

func TestLaunchAgentReadsBack(t *testing.T) {
	document := launchAgent(Registration{Executable: awkward, Home: awkward + "/home"})
	type node struct {
		XMLName  xml.Name
		Text     string `xml:",chardata"`
		Children []node `xml:",any"`
	}
	var plist node
	if err := xml.Unmarshal([]byte(document), &plist); err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	value := func(of node, key string) node {
		for i := 0; i+1 < len(of.Children); i += 2 {
			if of.Children[i].XMLName.Local != "key" {
				t.Fatalf("%q stands where a key should", of.Children[i].XMLName.Local)
			}
			if of.Children[i].Text == key {
				return of.Children[i+1]
			}
		}
		t.Fatalf("no key %q in\n%s", key, document)
		return node{}
	}
	dictionary := plist.Children[0]
	var arguments []string
	for _, argument := range value(dictionary, "ProgramArguments").Children {
		arguments = append(arguments, argument.Text)
	}
	if want := []string{awkward, "agent", "--guarded"}; !slices.Equal(arguments, want) {
		t.Errorf("arguments %q, want %q", arguments, want)
	}
	environment := value(dictionary, "EnvironmentVariables")
	if got := value(environment, "NIGHTSTAND_HOME").Text; got != awkward+"/home" {
		t.Errorf("the home is %q", got)
	}
	if got := value(environment, supervisorVariable).Text; got != string(Launchd) {
		t.Errorf("the supervisor is %q", got)
	}
	if value(dictionary, "RunAtLoad").XMLName.Local != "true" ||
		value(value(dictionary, "KeepAlive"), "SuccessfulExit").XMLName.Local != "false" {
		t.Errorf("it would not start at login and again after a crash:\n%s", document)
	}
	if got := value(dictionary, "Label").Text; got != launchLabel {
		t.Errorf("the label is %q", got)
	}
	if !ours([]byte(document)) {
		t.Error("it does not bear our mark")
	}
}

func TestScheduledTaskReadsBack(t *testing.T) {
	const home = `C:\Users\Jürgen & "co"\night stand\`
	document, err := scheduledTask(Registration{Executable: `C:\Program Files\A & B\nightstand.exe`, Home: home}, "S-1-5-21-1")
	if err != nil {
		t.Fatal(err)
	}
	var got task
	if err := xml.Unmarshal(document, &got); err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	if got.Actions.Exec.Command != `C:\Program Files\A & B\nightstand.exe` {
		t.Errorf("the command is %q", got.Actions.Exec.Command)
	}
	want := `agent --guarded --supervisor=task-scheduler "--home=C:\Users\Jürgen & \"co\"\night stand\\"`
	if got.Actions.Exec.Arguments != want {
		t.Errorf("the arguments are\n%s, want\n%s", got.Actions.Exec.Arguments, want)
	}
	if got.Logon.UserID != "S-1-5-21-1" || !got.Logon.Enabled || got.Principal.UserID != "S-1-5-21-1" {
		t.Errorf("logon %+v, principal %+v", got.Logon, got.Principal)
	}
	s := got.Settings
	if s.DisallowStartIfOnBatteries || s.StopIfGoingOnBatteries || s.StopOnIdleEnd || s.ExecutionTimeLimit != "PT0S" || s.RestartCount == 0 {
		t.Errorf("the task would end by itself: %+v", s)
	}
	if !ours(document) {
		t.Errorf("it does not bear our mark:\n%s", document)
	}

	file := utf16File(document)
	if file[0] != 0xff || file[1] != 0xfe || len(file)%2 != 0 {
		t.Fatalf("the file begins with % x and has %d bytes", file[:2], len(file))
	}
	units := make([]uint16, len(file)/2)
	for i := range units {
		units[i] = uint16(file[2*i]) | uint16(file[2*i+1])<<8
	}
	if text := string(utf16.Decode(units)); !strings.HasSuffix(text, string(document)) || !strings.Contains(text, `encoding="UTF-16"`) {
		t.Errorf("the file reads %s", text)
	}
}

func TestPathsTheTaskSchedulerWouldChange(t *testing.T) {
	t.Setenv("NIGHTSTAND_TEST_PLACE", "elsewhere")
	for path, fine := range map[string]bool{
		`C:\100%\nightstand.exe`:                      true,
		`C:\50% of 100%\nightstand.exe`:               true,
		`C:\%NIGHTSTAND_TEST_PLACE%\nightstand.exe`:   false,
		`C:\%a%NIGHTSTAND_TEST_PLACE%\nightstand.exe`: false,
		`C:\$(Arg0)\nightstand.exe`:                   false,
		`C:\$5\nightstand.exe`:                        true,
	} {
		if err := checkForTask(Registration{Executable: path}); (err == nil) != fine {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestWhatCannotBeInstalled(t *testing.T) {
	here, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Registration{
		"relative":        {Executable: "nightstand"},
		"absent":          {Executable: filepath.Join(t.TempDir(), "nightstand")},
		"relative home":   {Executable: here, Home: "night"},
		"line end":        {Executable: here, Home: filepath.Join(t.TempDir(), "a\nExecStartPre=b")},
		"not a character": {Executable: here, Home: filepath.Join(t.TempDir(), "a\xff")},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Install(t.Context(), r); err == nil || !strings.HasPrefix(err.Error(), "nothing was installed, because ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "nightstand.service")
	if changed, err := place(path, []byte("# "+mark+"\none")); err != nil || !changed {
		t.Fatal(changed, err)
	}
	if changed, err := place(path, []byte("# "+mark+"\none")); err != nil || changed {
		t.Errorf("the same again: changed %v, %v", changed, err)
	}
	if changed, err := place(path, []byte("# "+mark+"\ntwo")); err != nil || !changed {
		t.Errorf("another text: changed %v, %v", changed, err)
	}
	if was, err := take(path); err != nil || !was {
		t.Errorf("taking it: %v, %v", was, err)
	}
	if was, err := take(path); err != nil || was {
		t.Errorf("taking it again: %v, %v", was, err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := place(path, []byte(mark)); err == nil {
		t.Error("a foreign file was overwritten")
	}
	if _, err := take(path); err == nil {
		t.Error("a foreign file was removed")
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "mine" {
		t.Errorf("the foreign file now reads %q, %v", content, err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
