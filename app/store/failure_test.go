//go:build linux

package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// This test's own program can play another process: one that writes until it
// is killed, or one that opens a database without the rights of root.
const (
	roleVariable = "NIGHTSTAND_STORE_TEST_ROLE"
	pathVariable = "NIGHTSTAND_STORE_TEST_PATH"
)

func play(role string) int {
	ctx, path := context.Background(), os.Getenv(pathVariable)
	switch role {
	case "write until killed":
		s, err := Open(ctx, path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		for number := 1; ; number++ {
			err := s.Write(ctx, func(n *Night) {
				n.Page(onePage("prod", number, 1))
				n.Entry(Entry{PageID: onePage("prod", number, 1).Page.ID, At: evening, Kind: "paged", Text: "Paged"})
			})
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			fmt.Println(number) // only what was said to be kept must be
		}
	case "open without rights":
		_, err := Open(ctx, path)
		var damaged *DamagedError
		if err == nil || errors.As(err, &damaged) {
			fmt.Fprintln(os.Stderr, "it could write, or took it for damaged:", err)
			return 1
		}
		if why := Why(err); why != "this user may not open the file" && why != "the file may not be written" {
			fmt.Fprintf(os.Stderr, "it is told as %q (%v)\n", why, err)
			return 1
		}
		return readOnly(ctx, path)
	}
	return 2
}

// readOnly looks whether the accounts can still be read, and nothing written.
func readOnly(ctx context.Context, path string) int {
	s, err := OpenToRead(ctx, path)
	if err != nil {
		fmt.Fprintln(os.Stderr, "it cannot even be read:", err)
		return 1
	}
	accounts, err := s.Accounts(ctx)
	if err != nil || len(accounts) != 1 {
		fmt.Fprintln(os.Stderr, "the accounts are", accounts, err)
		return 1
	}
	err = s.Write(ctx, func(n *Night) { n.DropNotice("x") })
	if err == nil || Why(err) != "the file may not be written" {
		fmt.Fprintf(os.Stderr, "the write was refused as %v\n", err)
		return 1
	}
	return 0
}

func another(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return command
}

func TestWhatWasKeptSurvivesAKill(t *testing.T) {
	path := inFolder(t)
	s := opened(t, path)
	withAccount(t, s, "prod")
	s.Close()
	kept := 0
	for range 3 { // three lives, each killed in the middle of its work
		writer := another(t, "write until killed", path)
		said, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(said)
		for range 25 {
			if !lines.Scan() {
				t.Fatal("the writer ended by itself")
			}
		}
		_ = writer.Process.Kill()
		last := 25
		for lines.Scan() { // what it had said before it died counts too
			if number, err := strconv.Atoi(lines.Text()); err == nil {
				last = number
			}
		}
		_ = writer.Wait() // it was killed
		kept = max(kept, last)

		s, err := Open(context.Background(), path)
		if err != nil {
			t.Fatalf("after the kill: %v", err)
		}
		records, err := s.Remembered(context.Background(), evening)
		if err != nil || len(records) < kept {
			t.Errorf("%d pages are there (%v), although %d were said to be kept", len(records), err, kept)
		}
		s.Close()
	}
}

func TestADiskThatFillsUpCostsOnlyWhatComesAfter(t *testing.T) {
	ctx := context.Background()
	disk := smallDisk(t)
	path := filepath.Join(disk, "nightstand.db")
	s := opened(t, path)
	withAccount(t, s, "prod")
	write(t, s, func(n *Night) { n.Page(onePage("prod", 0, 1)) })

	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	var err error
	for number := 1; err == nil && number < 2000; number++ {
		err = s.Write(ctx, func(n *Night) { n.Page(onePage("prod", number, 1)) })
	}
	if err == nil || Why(err) != "the disk is full" {
		t.Fatalf("on a full disk writing gave %v, told as %q", err, Why(err))
	}
	if accounts, err := s.Accounts(ctx); err != nil || len(accounts) != 1 {
		t.Errorf("reading is impossible too: %v (%v)", accounts, err)
	}

	t.Run("a start on the full disk", func(t *testing.T) {
		s.Close()
		fill(t, filepath.Join(disk, "more")) // closing made a little room
		again, err := Open(ctx, path)
		var damaged *DamagedError
		if errors.As(err, &damaged) {
			t.Fatalf("a full disk was taken for a damaged file: %v", err)
		}
		if err != nil {
			again, err = OpenToRead(ctx, path)
		}
		if err != nil {
			t.Fatalf("nothing can be read: %v", err)
		}
		defer again.Close()
		if accounts, err := again.Accounts(ctx); err != nil || len(accounts) != 1 {
			t.Errorf("the accounts are %v (%v)", accounts, err)
		}
	})
	t.Run("room again", func(t *testing.T) {
		for _, file := range []string{ballast, filepath.Join(disk, "more")} {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		again := opened(t, path)
		write(t, again, func(n *Night) { n.Page(onePage("prod", 9999, 1)) })
	})
}

// smallDisk mounts a disk of one megabyte, which only root can.
func smallDisk(t *testing.T) string {
	t.Helper()
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("only root can mount a disk to fill up: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return disk
}

func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for err == nil {
		_, err = file.Write(make([]byte, 1024))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func TestAProfileThatCannotBeWrittenCanStillBeRead(t *testing.T) {
	// Not t.TempDir: its parents are closed to other users.
	folder, err := os.MkdirTemp("", "store")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.Chmod(folder, 0o700)
		os.RemoveAll(folder)
	})
	path := filepath.Join(folder, "nightstand.db")
	s := opened(t, path)
	withAccount(t, s, "prod")
	s.Close()
	program := filepath.Join(folder, "test") // the build's folder is closed to others as well
	if content, err := os.ReadFile(os.Args[0]); err != nil || os.WriteFile(program, content, 0o755) != nil {
		t.Fatal("the test program could not be copied: ", err)
	}
	for name, mode := range map[string]os.FileMode{path: 0o444, folder: 0o555} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	visitor := another(t, "open without rights", path)
	visitor.Path = program
	if os.Getuid() == 0 {
		visitor.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	output, err := visitor.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, strings.TrimSpace(string(output)))
	}
}

func TestADiskMountedReadOnlyCanStillBeRead(t *testing.T) {
	ctx, disk := context.Background(), smallDisk(t)
	path := filepath.Join(disk, "nightstand.db")
	s := opened(t, path)
	withAccount(t, s, "prod")
	// As after a kill: the last writes are only in the companion file.
	for _, companion := range []string{"", "-wal", "-shm"} {
		content, err := os.ReadFile(path + companion)
		if err == nil {
			err = os.WriteFile(filepath.Join(disk, "copy.db"+companion), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, "size=1m"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nightstand.db", "copy.db"} {
		path := filepath.Join(disk, name)
		_, err := Open(ctx, path)
		var damaged *DamagedError
		if err == nil || errors.As(err, &damaged) || Why(err) != "the disk is read-only" {
			t.Errorf("%s: opening gave %v", name, err)
		}
		if readOnly(ctx, path) != 0 {
			t.Errorf("%s cannot be read on a disk that is mounted read-only", name)
		}
	}
}
