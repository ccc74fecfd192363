package network

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAChangeIsToldOnceAndTroubleIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := []string{"10.0.0.2/24", "10.0.0.2/24", "", "10.0.0.2/24", "", "192.168.1.7/24", "192.168.1.7/24"}
		told := 0
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			at := -1
			watch(ctx, time.Second, func() (string, error) {
				if at++; at >= len(looks) {
					at = len(looks) - 1
				}
				if looks[at] == "" {
					return "", errors.New("no")
				}
				return looks[at], nil
			}, func() { told++ })
		}()
		time.Sleep(20 * time.Second)
		cancel()
		<-ended
		if told != 1 {
			t.Errorf("it was told %d times", told)
		}
	})
}

// A real address that comes is seen. Only the loopback device can be given one
// here without disturbing anything.
func TestTheAddressesOfThisMachineAreRead(t *testing.T) {
	before, err := addresses()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(before, "127.0.0.1") {
		t.Errorf("loopback is taken for a network: %s", before)
	}
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("giving the machine an address needs Linux and root")
	}
	if out, err := exec.Command("ip", "address", "add", "198.51.100.7/32", "dev", "lo").CombinedOutput(); err != nil {
		t.Skipf("no address can be added here: %s", out)
	}
	defer exec.Command("ip", "address", "del", "198.51.100.7/32", "dev", "lo").Run()
	after, err := addresses()
	if err != nil || after == before || !strings.Contains(after, net.ParseIP("198.51.100.7").String()) {
		t.Errorf("before %q, after %q, %v", before, after, err)
	}
}
