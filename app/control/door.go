package control

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Door is where an agent listens, as written into its address file. Exactly
// one of Socket and TCP is set.
type Door struct {
	Socket string `json:"socket,omitempty"`
	// TCP is 127.0.0.1 and a port, for systems without Unix sockets; Token has
	// to come with every request then.
	TCP   string `json:"tcp,omitempty"`
	Token string `json:"token,omitempty"`
}

// Open listens on the socket, or where the system has none on loopback with a
// token, and writes where into the address file. The caller holds the instance
// lock, so a socket that is still there belongs to nobody.
func Open(socket, addressFile string) (net.Listener, Door, error) {
	listener, door, err := listen(socket)
	if err != nil {
		return nil, Door{}, err
	}
	content, err := json.Marshal(door)
	if err == nil {
		err = writePrivately(addressFile, content)
	}
	if err != nil {
		listener.Close()
		return nil, Door{}, fmt.Errorf("say where the agent listens: %w", err)
	}
	return listener, door, nil
}

func listen(socket string) (net.Listener, Door, error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, Door{}, fmt.Errorf("remove the socket of an earlier run: %w", err)
	}
	listener, err := net.Listen("unix", socket)
	if err == nil {
		// The folder is private already; the mode is for those who look.
		if err := os.Chmod(socket, 0o600); err != nil {
			listener.Close()
			return nil, Door{}, err
		}
		return listener, Door{Socket: socket}, nil
	}
	if socketsWork {
		return nil, Door{}, fmt.Errorf("listen on the socket: %w", err)
	}
	listener, err = net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, Door{}, fmt.Errorf("listen on loopback: %w", err)
	}
	return listener, Door{TCP: listener.Addr().String(), Token: rand.Text() + rand.Text()}, nil
}

// writePrivately replaces a file so that it is never seen half written or by
// others.
func writePrivately(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".address-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(content)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	for last := time.Now().Add(time.Second); ; time.Sleep(20 * time.Millisecond) {
		// On Windows a face that reads the file this moment holds it fast.
		if err = os.Rename(file.Name(), path); err == nil || runtime.GOOS != "windows" || time.Now().After(last) {
			return err
		}
	}
}

// find reads where the agent of this profile listens.
func find(addressFile string) (Door, error) {
	content, err := os.ReadFile(addressFile)
	if err != nil {
		return Door{}, err
	}
	var door Door
	if err := json.Unmarshal(content, &door); err != nil {
		return Door{}, fmt.Errorf("read where the agent listens: %w", err)
	}
	return door, nil
}
