package app

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nightstand/app/control"
	"nightstand/sync/alertmanager/alertmanagertest"
)

const inNamespace = "NIGHTSTAND_TEST_IN_NAMESPACE"

// A VPN that comes up anew leaves connections behind that look alive and carry
// nothing. The look that hangs on one is given up after five seconds, and the
// next goes over a new one. It happens in a network namespace of its own, where
// a firewall can be had without touching this machine's.
func TestADeadConnectionBlindsNobody(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		leave := exec.Command("unshare", "--net", "true")
		if err := leave.Run(); err != nil {
			t.Skip("no network namespace can be made here, which needs root")
		}
		if _, err := exec.LookPath("nft"); err != nil {
			t.Skip("nft is not installed, so no packets can be dropped")
		}
		t.Parallel()
		again := exec.CommandContext(t.Context(), "unshare", "--net", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		again.Env = append(os.Environ(), inNamespace+"=1")
		if out, err := again.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Fatalf("in the namespace: %v\n%s", err, out)
		}
		return
	}
	must := func(name string, words ...string) {
		t.Helper()
		if out, err := exec.Command(name, words...).CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v: %s", name, words, err, out)
		}
	}
	must("ip", "link", "set", "lo", "up")
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	others := connectionsTo(t, server.URL) // the test's own
	o := opensOffice(t)
	if _, err := o.agent.AddAccount(t.Context(), control.NewAccount{Name: "prod", Provider: "alertmanager", URL: server.URL, User: "ben"}); err != nil {
		t.Fatal(err)
	}
	o.until("the account is seen", func() bool { return o.seen("prod") })
	ports := slices.DeleteFunc(connectionsTo(t, server.URL), func(port string) bool { return slices.Contains(others, port) })
	if len(ports) == 0 {
		t.Fatal("there is no connection to spoil")
	}
	must("nft", "add", "table", "inet", "spoil")
	must("nft", "add", "chain", "inet", "spoil", "out", "{ type filter hook output priority 0 ; }")
	for _, port := range ports {
		must("nft", "add", "rule", "inet", "spoil", "out", "tcp", "sport", port, "drop")
		must("nft", "add", "rule", "inet", "spoil", "out", "tcp", "dport", port, "drop")
	}
	dropped := time.Now()
	longest, last := time.Duration(0), *o.account("prod").LastGoodPoll
	for time.Since(dropped) < 25*time.Second {
		if now := *o.account("prod").LastGoodPoll; now != last {
			longest, last = max(longest, now.Sub(last)), now
		}
		if o.blind() || o.bell.pattern() != "" {
			t.Fatal("a connection that died has made it blind")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if longest < 4*time.Second {
		t.Errorf("the connection was not spoilt: the longest time without a look was %v", longest)
	}
	if longest > 8*time.Second+time.Second {
		t.Errorf("nothing was seen for %v", longest)
	}
	if left := connectionsTo(t, server.URL); slices.ContainsFunc(left, func(port string) bool { return slices.Contains(ports, port) }) {
		t.Errorf("a dead connection is still kept: %v of %v", left, ports)
	}
}

// connectionsTo are the ports from which this process is connected to a server,
// by the kernel's own table.
func connectionsTo(t *testing.T, address string) []string {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(at.Host)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("/proc/self/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	var from []string
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		const established = "01"
		if len(fields) < 4 || fields[3] != established || !strings.HasSuffix(fields[2], fmt.Sprintf(":%04X", number)) {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		local, err := strconv.ParseUint(hex, 16, 16)
		if err != nil {
			t.Fatal(err)
		}
		from = append(from, strconv.FormatUint(local, 10))
	}
	return from
}
