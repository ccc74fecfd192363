package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The design says who may know whom. This file holds it, each rule with the
// reason for it, over every package and every system we build for. Tests of a
// package may know more than the package.

// direction is what the packages of a room may import of ours. A name that
// ends in "/..." stands for everything below it too.
type direction struct {
	room, because string
	may           []string
}

var directions = []direction{
	{"", "main joins the command line to the agent and the windows, and decides nothing itself",
		[]string{"app", "app/control", "app/language", "ui/terminal", "ui/window"}},
	{"app", "the agent's wiring is the one place that knows everybody but the faces that call it",
		[]string{"app/...", "sync/...", "tray", "tray/notify", "tray/siren", "assets"}},
	{"app/page", "every room speaks these words, so they can lean on nobody", nil},
	{"app/watch", "decisions are pure: whoever decides at 03:00 must not reach a disk, a network or a screen",
		[]string{"app/page", "app/roster"}},
	{"app/roster", "shifts are reckoned, not fetched", []string{"app/page"}},
	{"app/store", "the store keeps and decides nothing, so it knows no decisions", []string{"app/page"}},
	{"app/secret", "whoever holds credentials should know as little else as possible", []string{"app/session"}},
	{"app/session", "the way to the bus is the same for everybody and knows nobody", nil},
	{"app/session/sessiontest", "stand-ins speak to whoever is tested over the bus alone", nil},
	{"app/language", "it must be loaded before everything else", nil},
	{"app/config", "settings are read before anything else is there", nil},
	{"app/home", "places are found before anything else is there", nil},
	{"app/network", "it tells that the network changed; what follows from it is decided elsewhere", nil},
	{"app/power", "it tells of sleep; what follows from it is decided elsewhere", nil},
	{"app/control", "faces bring the client along, and must not bring the agent with it", []string{"app/page"}},
	{"app/supervise", "the guarding parent stays small, so that it cannot die of what it guards", nil},
	{"app/endtoend", "the rig sees, hears and clicks like a person, from outside", []string{"app/session/sessiontest"}},
	{"sync/provider", "the words between us and the services", []string{"app/page", "app/roster"}},
	{"sync/provider/providertest", "the suite sees a provider as everybody sees it", []string{"app/page", "app/roster", "sync/provider"}},
	{"sync/drill/drilltest", "a stand-in knows what it stands in for", []string{"sync/..."}},
	{"sync/goalert/goalerttest", "a stand-in knows what it stands in for", []string{"sync/..."}},
	{"sync/grafana/grafanatest", "a stand-in knows what it stands in for", []string{"sync/..."}},
	{"sync/jsm/jsmtest", "a stand-in knows what it stands in for", []string{"sync/..."}},
	{"sync/web", "the way to a service is the same for all of them and knows none", []string{"app/page", "sync/provider"}},
	{"sync/...", "how a page gets here must not depend on what is then done with it",
		[]string{"app/page", "app/roster", "sync/provider", "sync/web"}},
	{"tray/...", "what reaches people carries out what it is told and never asks the agent back",
		[]string{"app/page", "app/session", "assets"}},
	{"ui/terminal", "the command line is a face: it knows the door, not the rooms behind it",
		[]string{"app/control", "app/page", "ui/words"}},
	{"ui/words", "the faces say the same in the same way", []string{"app/control", "app/page"}},
	{"ui/kit", "pieces know how they look, not what they are for", []string{"ui/look"}},
	{"ui/look", "colours and shapes are for everybody", nil},
	{"ui/...", "a window that dies must take nothing of the agent with it",
		[]string{"app/control", "app/page", "assets", "ui/..."}},
	{"assets/...", "pictures and sounds are for everybody", []string{"assets"}},
}

// libraries that only one room may import, so that they can be replaced, and
// their dangers guarded against, in one place.
var libraries = []struct{ path, room, because string }{
	{"fyne.io/systray", "tray", "it panics without a bus, which only the tray guards against"},
	{"github.com/gen2brain/malgo", "tray/siren", "only the siren opens a sound device, and only while it rings"},
	{"github.com/jfreymuth/pulse", "tray/siren", "it falls over where a sound server hangs up on it, which only that room guards against"},
	{"github.com/gen2brain/beeep", "tray/notify", "it must never be handed the text of a page"},
	{"modernc.org/sqlite", "app/store", "one writer, one place for durability"},
	{"github.com/pressly/goose", "app/store", "migrations run under the instance lock"},
	{"github.com/zalando/go-keyring", "app/secret", "it hangs on a locked keyring, which only that room guards against"},
	{"github.com/alecthomas/kong", "ui/terminal", "the command line's grammar is nobody else's business"},
	{"github.com/jezek/xgb", "app/session", "it waits for an X server that hangs, which only that room guards against"},
	{"github.com/gofrs/flock", "app", "one place claims the profile"},
	{"fyne.io/fyne/v2/app", "ui/window", "one place opens a graphics context, so that views are tested without one"},
	{"fyne.io/fyne", "ui/...", "the agent opens no OpenGL context, so that no graphics driver can silence it"},
}

// pure is all that the core may import of the standard library: nothing that
// reaches outside, and nothing that runs beside it.
var pure = []string{"cmp", "errors", "fmt", "maps", "math", "slices", "sort", "strconv", "strings", "time", "unicode"}

// room is one of our packages as the go command lists it.
type room struct {
	ImportPath, Name, Doc, Dir string
	Imports, GoFiles, CgoFiles []string
}

const module = "nightstand"

// name is the package's path below the module.
func (r room) name() string { return below(r.ImportPath) }

func below(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

func ours(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// testOnly says that the package exists for tests and is in no program.
func (r room) testOnly() bool { return strings.HasSuffix(r.Name, "test") || r.Name == "endtoend" }

// systems are what we build for. Cgo is on for all, so that files which need
// it are looked at too; nothing is compiled.
var systems = []string{"linux", "windows", "darwin"}

func rooms(t *testing.T, system string) []room {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Name,Doc,Dir,Imports,GoFiles,CgoFiles", module+"/...")
	list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=1")
	var complaints bytes.Buffer
	list.Stderr = &complaints
	output, err := list.Output()
	if err != nil {
		t.Fatalf("the packages could not be listed: %v\n%s", err, complaints.String())
	}
	var all []room
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var r room
		err := decoder.Decode(&r)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
}

// covers says whether a pattern of the tables above means the package.
func covers(pattern, name string) bool {
	tree, all := strings.CutSuffix(pattern, "/...")
	return name == tree || all && strings.HasPrefix(name, tree+"/")
}

// directionOf is the first, narrowest rule for a package.
func directionOf(name string) (direction, bool) {
	at := slices.IndexFunc(directions, func(d direction) bool { return covers(d.room, name) })
	if at < 0 {
		return direction{}, false
	}
	return directions[at], true
}

func TestEveryPackageKnowsOnlyWhomItMay(t *testing.T) {
	for _, system := range systems {
		for _, r := range rooms(t, system) {
			rule, known := directionOf(r.name())
			if !known {
				t.Errorf("nothing says whom %q may know; write it down in this file", r.name())
				continue
			}
			for _, imported := range r.Imports {
				if !ours(imported) {
					continue
				}
				if !slices.ContainsFunc(rule.may, func(pattern string) bool { return covers(pattern, below(imported)) }) {
					t.Errorf("%s: %q imports %q, but %s", system, r.name(), below(imported), rule.because)
				}
			}
		}
	}
}

func TestNobodyKnowsTheAgentButMain(t *testing.T) {
	for _, r := range rooms(t, "linux") {
		if r.name() != "" && slices.Contains(r.Imports, module+"/app") {
			t.Errorf("%q imports the agent; only main may", r.name())
		}
	}
}

func TestEveryLibraryHasOneRoom(t *testing.T) {
	used := map[string]bool{}
	for _, system := range systems {
		for _, r := range rooms(t, system) {
			for _, imported := range r.Imports {
				for _, library := range libraries {
					if imported != library.path && !strings.HasPrefix(imported, library.path+"/") {
						continue
					}
					used[library.path] = true
					if !covers(library.room, r.name()) {
						t.Errorf("%s: %q imports %s, which is only for %q: %s", system, r.name(), library.path, library.room, library.because)
					}
				}
			}
		}
	}
	for _, library := range libraries {
		if !used[library.path] {
			t.Errorf("nobody uses %s any more; take its rule away", library.path)
		}
	}
}

func TestTheCoreIsPure(t *testing.T) {
	for _, r := range rooms(t, "linux") {
		if r.name() != "app/watch" {
			continue
		}
		for _, imported := range r.Imports {
			if !ours(imported) && !slices.Contains(pure, imported) {
				t.Errorf("the core imports %s; it may only reckon", imported)
			}
		}
		for _, file := range r.GoFiles {
			lookForImpurity(t, filepath.Join(r.Dir, file))
		}
		return
	}
	t.Fatal("the core was not found")
}

// lookForImpurity finds what makes the same night come out differently twice.
func lookForImpurity(t *testing.T, path string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	clocks := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local"}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.GoStmt, *ast.SelectStmt, *ast.ChanType, *ast.SendStmt:
			t.Errorf("%s: the core runs nothing beside itself", files.Position(node.Pos()))
		case *ast.SelectorExpr:
			if of, is := node.X.(*ast.Ident); is && of.Name == "time" && slices.Contains(clocks, node.Sel.Name) {
				t.Errorf("%s: the core is told the time, it never looks (time.%s)", files.Position(node.Pos()), node.Sel.Name)
			}
		}
		return true
	})
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, r := range rooms(t, "linux") {
		begins := "Package " + r.Name + " "
		if r.Name != "main" && !strings.HasPrefix(r.Doc, begins) || len(r.Doc) < 20 {
			t.Errorf("%q does not say what it is for: %q", r.name(), r.Doc)
		}
	}
}

func TestTestingStaysOutOfTheProgram(t *testing.T) {
	for _, system := range systems {
		listed := rooms(t, system)
		testOnly := map[string]bool{}
		for _, r := range listed {
			testOnly[r.ImportPath] = r.testOnly()
		}
		for _, r := range listed {
			if r.testOnly() {
				continue
			}
			for _, imported := range r.Imports {
				if imported == "testing" || strings.HasPrefix(imported, "testing/") || testOnly[imported] {
					t.Errorf("%s: %q brings %s into the program", system, r.name(), imported)
				}
			}
		}
	}
}

func TestSyncHoldsRoomsAndNoCodeOfItsOwn(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "sync", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) > 0 {
		t.Errorf("%v: a package called sync would hide the standard library's", files)
	}
	if _, err := os.Stat(filepath.Join("..", "sync", "provider")); err != nil {
		t.Errorf("this test looks in the wrong place: %v", err)
	}
}
