// Package home knows where Nightstand keeps its things on this machine.
package home

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// Variable names the environment variable that puts everything under one
// folder (tests, a demonstration, a second profile).
const Variable = "NIGHTSTAND_HOME"

// Home is the set of places of one profile.
type Home struct {
	// Given is the value of NIGHTSTAND_HOME, absolute; empty when it is not set.
	Given    string
	Settings string // the settings file
	Database string
	Log      string
	Lock     string // held by the running agent
	// Address is a file in which the running agent says where it listens.
	Address string
	// Socket is where the agent listens; short enough for the system.
	Socket string
}

// Name identifies the profile, for things that are kept outside of it.
func (h Home) Name() string { return filepath.Dir(h.Database) }

// Find returns the places of the current user's profile. It creates nothing.
func Find() (Home, error) {
	if given := os.Getenv(Variable); given != "" {
		root, err := filepath.Abs(given)
		if err != nil {
			return Home{}, fmt.Errorf("make %s absolute: %w", Variable, err)
		}
		h := layOut(root, root, filepath.Join(root, "run"))
		h.Given = root
		return h, nil
	}
	settings, err := os.UserConfigDir()
	if err != nil {
		return Home{}, errors.New("this user has no folder for settings; set " + Variable + " to a folder that may be written")
	}
	data, err := dataDir(settings)
	if err != nil {
		return Home{}, err
	}
	data = filepath.Join(data, "nightstand")
	return layOut(filepath.Join(settings, "nightstand"), data, filepath.Join(data, "run")), nil
}

func layOut(settings, data, run string) Home {
	return Home{
		Settings: filepath.Join(settings, "settings.toml"),
		Database: filepath.Join(data, "nightstand.db"),
		Log:      filepath.Join(data, "nightstand.log"),
		Lock:     filepath.Join(run, "agent.lock"),
		Address:  filepath.Join(run, "address"),
		Socket:   socket(run),
	}
}

// dataDir is where a program keeps what is not settings.
func dataDir(settings string) (string, error) {
	switch runtime.GOOS {
	case "windows":
		if local := os.Getenv("LOCALAPPDATA"); local != "" {
			return local, nil
		}
		return settings, nil
	case "darwin":
		return settings, nil
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return data, nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("this user has no home folder; set " + Variable + " to a folder that may be written")
	}
	return filepath.Join(user, ".local", "share"), nil
}

// longestSocket is what every system takes as a socket's path; Linux allows
// 107 bytes, macOS 103.
const longestSocket = 100

// socket is the socket's path: in the profile, or, where that path is too long
// for a socket, in a folder of this user's beside the temporary files.
func socket(run string) string {
	path := filepath.Join(run, "agent.sock")
	if len(path) <= longestSocket {
		return path
	}
	return besideTemporary(run, ".sock")
}

// Temporary moves the lock, the socket and its address to this user's folder
// beside the temporary files, for a profile that cannot be written.
func (h Home) Temporary() Home {
	run := filepath.Dir(h.Lock)
	h.Lock, h.Address, h.Socket = besideTemporary(run, ".lock"), besideTemporary(run, ".address"), besideTemporary(run, ".sock")
	return h
}

// besideTemporary is a file for a profile's run folder in a folder of this
// user's beside the temporary files.
func besideTemporary(run, ending string) string {
	sum := sha256.Sum256([]byte(run))
	return filepath.Join(os.TempDir(), "nightstand-"+strconv.Itoa(os.Getuid()), hex.EncodeToString(sum[:8])+ending)
}

// Prepare creates the folders, for this user alone. Its error says which folder
// cannot be written; a socket folder of somebody else's is refused.
func (h Home) Prepare() error {
	for _, folder := range []string{filepath.Dir(h.Settings), filepath.Dir(h.Database)} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("make the folder %s: %w", folder, err)
		}
	}
	return h.PrepareRun()
}

// PrepareRun creates only the folders that a running agent needs, and makes
// sure that something can be written there.
func (h Home) PrepareRun() error {
	for _, folder := range []string{filepath.Dir(h.Lock), filepath.Dir(h.Socket)} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("make the folder %s: %w", folder, err)
		}
		if err := private(folder); err != nil {
			return err
		}
		if err := writable(folder); err != nil {
			return fmt.Errorf("write in the folder %s: %w", folder, err)
		}
	}
	return nil
}

// writable tries it: a full disk still makes empty files, and permissions say
// nothing of a disk that is mounted read-only.
func writable(folder string) error {
	file, err := os.CreateTemp(folder, ".probe-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(make([]byte, 4096))
	return errors.Join(err, file.Close())
}
