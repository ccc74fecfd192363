package supervise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// systemPatience is how long the system's own tools may take over an answer.
const systemPatience = 15 * time.Second

// Registration says which agent is started at login.
type Registration struct {
	// Executable is the absolute path of the program.
	Executable string
	// Home is the value of NIGHTSTAND_HOME for the agent, an absolute path;
	// empty means the platform's own places.
	Home string
}

// Report says in full sentences what Install or Uninstall did, and what that
// means for tonight.
type Report struct {
	// Supervisor is who starts the agent from now on; Nobody after Uninstall.
	Supervisor Supervisor
	// Files are the absolute paths written or removed.
	Files []string
	// Sentences are for the person at the keyboard, in order.
	Sentences []string
}

func (r *Report) say(format string, values ...any) {
	r.Sentences = append(r.Sentences, fmt.Sprintf(format, values...))
}

// Status says what is registered now.
type Status struct {
	// Supervisor is who starts the agent at login; Nobody when nothing is
	// registered.
	Supervisor Supervisor
	// Files are the registrations found, as absolute paths; on Windows there
	// is none, the Task Scheduler keeps its own.
	Files []string
	// Running says that the supervisor has the agent running now.
	Running bool
	// Sentence says it to a person.
	Sentence string
}

// Install registers the agent with the system's own supervisor, starts it and
// has it started at every login. Doing it twice is as doing it once; a second
// call with another executable or home replaces the first. Its errors are
// sentences for people.
func Install(ctx context.Context, r Registration) (Report, error) {
	if err := r.check(); err != nil {
		return Report{}, err
	}
	return install(ctx, r)
}

// Uninstall stops the registered agent and removes exactly what Install made.
// Where nothing is registered it says so and that is no error.
func Uninstall(ctx context.Context) (Report, error) { return uninstall(ctx) }

// Installed looks what is registered.
func Installed(ctx context.Context) Status { return installed(ctx) }

func (r Registration) check() error {
	if !filepath.IsAbs(r.Executable) {
		return fmt.Errorf("nothing was installed, because %q is not a full path to the program", r.Executable)
	}
	if _, err := os.Stat(r.Executable); err != nil {
		return fmt.Errorf("nothing was installed, because the program %q cannot be found", r.Executable)
	}
	if r.Home != "" && !filepath.IsAbs(r.Home) {
		return fmt.Errorf("nothing was installed, because NIGHTSTAND_HOME must be a full path and is %q", r.Home)
	}
	for _, path := range []string{r.Executable, r.Home} {
		if !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
			return fmt.Errorf("nothing was installed, because the path %q holds characters that the system's supervisor cannot take; move Nightstand to a folder with a plainer name", path)
		}
	}
	return nil
}

// mark stands in every file that Install writes. A file without it belongs to
// somebody else and is neither overwritten nor removed.
const mark = "Written by \"nightstand install\""

// place writes a file whole or not at all, and says whether that changed
// anything.
func place(path string, content []byte) (changed bool, err error) {
	before, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(before, content):
		return false, nil
	case err == nil && !ours(before):
		return false, fmt.Errorf("nothing was installed, because the file %q was not written by Nightstand; move it away and try again", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("nothing was installed, because %q cannot be read: %w", path, err)
	}
	directory := filepath.Dir(path)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return false, fmt.Errorf("nothing was installed, because the folder %q cannot be made: %w", directory, err)
	}
	draft, err := os.CreateTemp(directory, ".nightstand-*")
	if err != nil {
		return false, fmt.Errorf("nothing was installed, because nothing can be written to %q: %w", directory, err)
	}
	defer os.Remove(draft.Name()) // gone already when all went well
	_, err = draft.Write(content)
	err = errors.Join(err, draft.Chmod(0o644), draft.Sync(), draft.Close())
	if err == nil {
		err = os.Rename(draft.Name(), path)
	}
	if err != nil {
		return false, fmt.Errorf("nothing was installed, because %q cannot be written: %w", path, err)
	}
	return true, nil
}

// take removes a file that place has written, and says whether it was there.
func take(path string) (was bool, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("the file %q cannot be read and was left alone: %w", path, err)
	}
	if !ours(content) {
		return false, fmt.Errorf("the file %q was not written by Nightstand and was left alone", path)
	}
	if err := os.Remove(path); err != nil {
		return false, fmt.Errorf("the file %q cannot be removed: %w", path, err)
	}
	return true, nil
}

// placed says whether a file of ours stands there.
func placed(path string) bool {
	content, err := os.ReadFile(path)
	return err == nil && ours(content)
}

// ours recognises the mark, also where XML has escaped its quotation marks.
func ours(content []byte) bool {
	plain := strings.NewReplacer("&#34;", `"`, "&quot;", `"`).Replace(string(content))
	return strings.Contains(plain, mark)
}

// system runs one of the system's own tools and returns what it printed.
func system(ctx context.Context, name string, arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, systemPatience)
	defer cancel()
	command := exec.CommandContext(ctx, name, arguments...)
	command.WaitDelay = time.Second
	output, err := command.CombinedOutput()
	text := strings.TrimSpace(string(output))
	if err != nil {
		return text, fmt.Errorf("%s did not do it: %w: %s", name, err, text)
	}
	return text, nil
}
