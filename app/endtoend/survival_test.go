//go:build linux

package endtoend

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to look into the database as somebody else

	"nightstand/sync/alertmanager/alertmanagertest"
)

// What was promised of a guarded agent.
const (
	backAfterCrash = 5 * time.Second
	backAfterHang  = 20 * time.Second
)

// databaseOf opens a copy of the database as the agent left it, so that looking
// changes nothing.
func databaseOf(t *testing.T, night *Nightstand) *sql.DB {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"nightstand.db", "nightstand.db-wal"} {
		content, err := os.ReadFile(filepath.Join(night.Home, name))
		if err != nil {
			if name == "nightstand.db" {
				t.Fatal(err)
			}
			continue // written back already
		}
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "nightstand.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestAKilledAgentRingsAgainAndHasLostNothing(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true, WithoutBus: true})
	ear := desk.Listen()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	night := Install(t, desk, "")
	night.Start()
	night.AddAccount(server)
	server.Post(Page("Old page"))
	old := night.UntilRinging(looked+5*time.Second, "Old page")
	night.MustDo("ack", old.ID)
	server.Post(Page("Rack is hot", "instance", "rack7"))
	p := night.UntilRinging(looked+5*time.Second, "Rack is hot")
	nextBurst(t, ear)
	before := night.Timeline("")

	night.Agent.Kill()
	if said := night.Do("status"); said.Code != 3 {
		t.Errorf("status of a dead agent ended with %d: %s", said.Code, said.Words())
	}
	db := databaseOf(t, night)
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("the database is %q (%v)", verdict, err)
	}
	var broken int
	if err := db.QueryRow("SELECT count(*) FROM pragma_foreign_key_check").Scan(&broken); err != nil || broken != 0 {
		t.Errorf("%d references lead nowhere (%v)", broken, err)
	}
	var kept int
	if err := db.QueryRow("SELECT count(*) FROM timeline").Scan(&kept); err != nil || kept < len(before) {
		t.Errorf("%d of %d entries of the timeline are left (%v)", kept, len(before), err)
	}
	if _, is := ear.QuietAfter(time.Now(), 3*time.Second, time.Second); !is {
		t.Fatal("a dead agent is heard")
	}

	started := night.Launch()
	heard := mustHear(t, ear, started, onePoll, "the page after the new start")
	night.UntilRinging(5*time.Second, "Rack is hot")
	t.Logf("%v from the start of the process to the sound", heard.Sub(started).Round(time.Millisecond))
	after := night.Timeline("")
	if len(after) < len(before) || !slices.Equal(after[:len(before)], before) {
		t.Errorf("the timeline was\n%+v\nand is\n%+v", before, after)
	}
	if kept := night.UntilConfirmed(5*time.Second, "Old page"); kept.ID != old.ID {
		t.Errorf("the acknowledged page is %+v", kept)
	}
	if now := night.Status(); now.Alarm.PageID != p.ID || len(now.Accounts) != 1 {
		t.Errorf("after the new start: %+v", now)
	}
}

// The alert was answered, went away and came back while the agent was not
// there, and our own silence is still in the way.
func TestANewFiringUnderOurOldSilenceRings(t *testing.T) {
	t.Parallel()
	desk := Start(t, Options{WithoutDisplay: true, WithoutBus: true})
	ear := desk.Listen()
	server := alertmanagertest.Start(t, alertmanagertest.Options{})
	night := Install(t, desk, "")
	night.Start()
	night.AddAccount(server)
	alert := Page("Lock is held")
	server.Post(alert)
	p := night.UntilRinging(looked+5*time.Second, "Lock is held")
	night.MustDo("ack", p.ID)
	old := OurSilences(server)
	if len(old) != 1 {
		t.Fatalf("the answer made %+v", old)
	}
	if said := night.MustDo("quit"); !strings.Contains(said.Out, "has ended") {
		t.Errorf("quit says %s", said.Words())
	}
	if code := night.Agent.ExitCode(); code != 0 {
		t.Errorf("the agent ended with %d", code)
	}

	server.Resolve(alert.Labels)
	Eventually(t, 5*time.Second, func() error {
		if left := server.Alerts(); len(left) != 0 {
			return fmt.Errorf("not resolved: %+v", left)
		}
		return nil
	})
	server.Post(Again(alert))
	if listed := server.Alerts(); len(listed) != 1 || listed[0].Status.State != "suppressed" {
		t.Fatalf("the new firing is not under the old silence: %+v", listed)
	}

	mustBeStill(t, ear)
	started := night.Launch()
	mustHear(t, ear, started, onePoll, "the new firing, from the start of the agent,")
	again := night.UntilRinging(5*time.Second, "Lock is held")
	if again.UpstreamID == p.UpstreamID || again.ID == p.ID {
		t.Errorf("the new firing is taken for the old one: %+v", again)
	}
	Eventually(t, 10*time.Second, func() error {
		for _, s := range server.ActiveSilences() {
			if s.ID == old[0].ID {
				return fmt.Errorf("the old silence still holds: %+v", s)
			}
		}
		return nil
	})
}

// Nobody touches anything: the guard brings the sound back.
func TestAGuardedAgentComesBackWhileRinging(t *testing.T) {
	t.Parallel()
	for name, arguments := range map[string][]string{"nightstand agent --guarded": {"agent", "--guarded"}, "nightstand": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			desk := Start(t, Options{WithoutDisplay: true, WithoutBus: true})
			ear := desk.Listen()
			server := alertmanagertest.Start(t, alertmanagertest.Options{})
			night := Install(t, desk, "")
			night.Start(arguments...)
			night.AddAccount(server)
			server.Post(Page("Power is gone"))
			night.UntilRinging(looked+5*time.Second, "Power is gone")
			if safe := night.Status().Signal("supervisor"); safe.State != "ok" {
				t.Errorf("the guarded agent says of its supervisor: %+v", safe)
			}
			for _, harm := range []struct {
				what   string
				signal syscall.Signal
				within time.Duration
				// What it had handed to the speaker is heard for so long.
				rest time.Duration
			}{
				{"kill -9", syscall.SIGKILL, backAfterCrash, 50 * time.Millisecond},
				{"kill -STOP", syscall.SIGSTOP, backAfterHang, 300 * time.Millisecond},
			} {
				victim := night.Status().Agent.PID
				if victim == night.Agent.ID() {
					t.Fatal("the agent is its own guard")
				}
				burst := nextBurst(t, ear)
				harmed := time.Now()
				if err := syscall.Kill(victim, harm.signal); err != nil {
					t.Fatal(err)
				}
				heard, is := ear.FirstLoudAfter(harmed.Add(harm.rest), harm.within+5*time.Second)
				if !is || heard.Sub(harmed) > harm.within {
					t.Errorf("after %s the sound was back after %v (%v), not within %v", harm.what, heard.Sub(harmed), is, harm.within)
				}
				ear.waitUntil(burst.Add(breath))
				t.Logf("after %s the sound was back after %v; 10 ms each sign from the burst that was cut off:\n%s", harm.what,
					heard.Sub(harmed).Round(10*time.Millisecond), ear.Picture(burst, burst.Add(breath)))
				if harm.signal == syscall.SIGSTOP && heard.Sub(harmed) < time.Second {
					t.Errorf("%s did not stop the sound", harm.what)
				}
				night.UntilRinging(10*time.Second, "Power is gone")
				if now := night.Status().Agent.PID; now == victim {
					t.Errorf("process %d is still the agent", victim)
				}
			}
			night.MustDo("quit")
			if code := night.Agent.ExitCode(); code != 0 {
				t.Errorf("the guard ended with %d", code)
			}
		})
	}
}
