package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"nightstand/app/page"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	os.Exit(m.Run())
}

func opened(tb testing.TB, path string) *Store {
	tb.Helper()
	s, err := Open(context.Background(), path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func inFolder(tb testing.TB) string { return filepath.Join(tb.TempDir(), "data", "nightstand.db") }

func withAccount(tb testing.TB, s *Store, name string) {
	tb.Helper()
	err := s.PutAccount(context.Background(), Account{Name: name, Provider: "alertmanager", URL: "http://127.0.0.1:9093", User: "anna", Secret: NoSecret, AddedAt: evening})
	if err != nil {
		tb.Fatal(err)
	}
}

var evening = time.Date(2026, 11, 22, 22, 30, 0, 123456789, time.UTC)

// onePage is the record of one page as the agent would keep it.
func onePage(account string, number, epoch int) Page {
	id := page.NewID(account, fmt.Sprint(number))
	return Page{
		Page: page.Page{
			ID: id, Account: account, UpstreamID: fmt.Sprint(number), Title: "Disk full", Service: "db",
			Severity: page.Critical, Status: page.Triggered, TriggeredAt: evening,
		},
		FirstSeen: evening, Epoch: epoch, Known: json.RawMessage(fmt.Sprintf(`{"number":%d,"epoch":%d}`, number, epoch)),
	}
}

func write(tb testing.TB, s *Store, do func(*Night)) {
	tb.Helper()
	if err := s.Write(context.Background(), do); err != nil {
		tb.Fatal(err)
	}
}

func TestWhatWasWrittenIsThereAfterTheNextStart(t *testing.T) {
	ctx, path := context.Background(), inFolder(t)
	s := opened(t, path)
	account := Account{
		Name: "prod", Provider: "alertmanager", URL: "https://alerts.example.org/x?y='1'", User: "anna; DROP TABLE pages",
		Options: AccountOptions{Auth: "basic", Receiver: "team-db", Filters: []string{`team="db"`}, Severities: map[string]string{"p1": "critical"}},
		Secret:  KeyringPlace, AddedAt: evening,
	}
	if err := s.PutAccount(ctx, account); err != nil {
		t.Fatal(err)
	}
	ended := onePage("prod", 2, 1)
	ended.EndedAt, ended.Ending = evening.Add(time.Hour), "resolved"
	long := onePage("prod", 3, 1)
	long.EndedAt = evening.Add(-30 * 24 * time.Hour)
	notice := Notice{ID: "n1", PageID: ended.Page.ID, Ending: "resolved", Text: "“Disk full” is resolved.", At: evening}
	write(t, s, func(n *Night) {
		n.Page(onePage("prod", 1, 1))
		n.Page(onePage("prod", 1, 2))
		n.Page(ended)
		n.Page(long)
		n.Entry(Entry{PageID: ended.Page.ID, Epoch: 1, At: evening, Kind: "paged", Text: "Paged: Disk full"})
		n.Entry(Entry{At: evening.Add(time.Second), Kind: "blind", Text: "prod cannot be seen"})
		n.Notice(notice)
		n.Notice(Notice{ID: "n2", At: evening})
		n.DropNotice("n2")
		n.RememberAccount("prod", "instance-7", true, true)
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = opened(t, path)
	account.Instance, account.Met, account.Heartbeat = "instance-7", true, true
	got, err := s.Account(ctx, "prod")
	if err != nil || fmt.Sprint(got) != fmt.Sprint(account) {
		t.Errorf("the account came back as %+v (%v), want %+v", got, err, account)
	}
	records, err := s.Remembered(ctx, evening.Add(-7*24*time.Hour))
	if err != nil || len(records) != 2 {
		t.Fatalf("%d pages came back (%v), want the open one and the one that ended lately", len(records), err)
	}
	if all := fmt.Sprintf("%s", records); !strings.Contains(all, `{"number":1,"epoch":2}`) || strings.Contains(all, `"epoch":1}]`) && !strings.Contains(all, `"number":2`) {
		t.Errorf("the pages came back as %s", all)
	}
	notices, err := s.Notices(ctx)
	if err != nil || len(notices) != 1 || notices[0] != notice {
		t.Errorf("the sentences came back as %+v (%v)", notices, err)
	}
	whole, err := s.Timeline(ctx, "", 10)
	if err != nil || len(whole) != 2 || whole[0].Kind != "paged" || whole[1].Kind != "blind" || !whole[0].At.Equal(evening) {
		t.Errorf("the timeline came back as %+v (%v)", whole, err)
	}
	if own, err := s.Timeline(ctx, ended.Page.ID, 10); err != nil || len(own) != 1 {
		t.Errorf("the page's own timeline came back as %+v (%v)", own, err)
	}
	if newest, err := s.Timeline(ctx, "", 1); err != nil || len(newest) != 1 || newest[0].Kind != "blind" {
		t.Errorf("the newest line is %+v (%v)", newest, err)
	}
	var epochs int
	if err := s.db.QueryRow(`SELECT count(*) FROM epochs WHERE page_id = ?`, onePage("prod", 1, 1).Page.ID).Scan(&epochs); err != nil || epochs != 2 {
		t.Errorf("the page that rang twice has %d epochs (%v)", epochs, err)
	}
}

func TestAnAccountTakesItsPagesAlongButNotTheTimeline(t *testing.T) {
	ctx := context.Background()
	s := opened(t, inFolder(t))
	withAccount(t, s, "prod")
	withAccount(t, s, "home")
	write(t, s, func(n *Night) {
		for _, account := range []string{"prod", "home", "never set up"} {
			n.Page(onePage(account, 1, 1))
			n.Entry(Entry{PageID: onePage(account, 1, 1).Page.ID, At: evening, Kind: "paged", Text: account})
		}
	})
	if err := s.DeleteAccount(ctx, "prod"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Account(ctx, "prod"); !errors.Is(err, ErrNoAccount) {
		t.Errorf("the account is still there: %v", err)
	}
	if records, err := s.Remembered(ctx, evening); err != nil || len(records) != 1 {
		t.Errorf("%d pages are left (%v), want the one of the other account", len(records), err)
	}
	if timeline, err := s.Timeline(ctx, "", 10); err != nil || len(timeline) != 3 {
		t.Errorf("%d lines of the timeline are left (%v), want all three", len(timeline), err)
	}
}

func TestWritesAreKeptAllOrNone(t *testing.T) {
	ctx := context.Background()
	s := opened(t, inFolder(t))
	withAccount(t, s, "prod")
	broken := onePage("prod", 2, 1)
	err := s.Write(ctx, func(n *Night) {
		n.Page(onePage("prod", 1, 1))
		n.exec(`INSERT INTO epochs (page_id, epoch, began_at) VALUES ('nobody', 1, '')`) // no such page
		n.Page(broken)
	})
	if err == nil {
		t.Fatal("a line without its page was taken, so foreign keys are off")
	}
	if records, err := s.Remembered(ctx, evening); err != nil || len(records) != 0 {
		t.Errorf("%d pages of a failed write are kept (%v)", len(records), err)
	}
	write(t, s, func(n *Night) { n.Page(onePage("prod", 1, 1)) }) // and it works on
}

func TestTheFileAndItsCompanionsAreTheUsersOwn(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes; the profile's folder is the user's own there")
	}
	path := inFolder(t)
	s := opened(t, path)
	withAccount(t, s, "prod")
	for _, companion := range []string{"", "-wal", "-shm"} {
		about, err := os.Stat(path + companion)
		if err != nil {
			t.Fatal(err)
		}
		if about.Mode().Perm() != 0o600 {
			t.Errorf("nightstand.db%s has mode %v", companion, about.Mode())
		}
	}
	if about, err := os.Stat(filepath.Dir(path)); err != nil || about.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v (%v)", about.Mode(), err)
	}
}

func TestWritesAreDurableByTheirSettings(t *testing.T) {
	s := opened(t, inFolder(t))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1"} {
		var got string
		if err := s.db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", pragma, got, err, want)
		}
	}
}

func TestADamagedFileIsSetAsideAndNothingIsDeleted(t *testing.T) {
	ctx := context.Background()
	sound := inFolder(t)
	s := opened(t, sound)
	withAccount(t, s, "prod")
	write(t, s, func(n *Night) {
		for number := range 300 {
			n.Page(onePage("prod", number, 1))
		}
	})
	s.Close()
	content, err := os.ReadFile(sound)
	if err != nil {
		t.Fatal(err)
	}
	torn := append([]byte{}, content...)
	for at := 4096; at < len(torn); at++ {
		torn[at] = byte(at * 7)
	}
	for name, damage := range map[string][]byte{
		"another kind of file": []byte("these are not the bytes you are looking for, " + strings.Repeat("x", 4096)),
		"cut in the middle":    content[:len(content)/2],
		"overwritten pages":    torn,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "nightstand.db")
			if err := os.WriteFile(path, damage, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(ctx, path)
			var damaged *DamagedError
			if s == nil || !errors.As(err, &damaged) {
				t.Fatalf("opened %v: %v", s, err)
			}
			defer s.Close()
			if kept, err := os.ReadFile(damaged.MovedTo); err != nil || string(kept) != string(damage) {
				t.Errorf("the damaged file was not kept as it was (%v)", err)
			}
			withAccount(t, s, "again") // the new one works
			s.Close()
			if _, err := Open(ctx, path); err != nil {
				t.Errorf("the new one is not sound: %v", err)
			}
		})
	}
}

func TestAnEmptyFileIsAFreshDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nightstand.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	withAccount(t, opened(t, path), "prod")
}

func TestADatabaseSomebodyHoldsIsNotTakenForDamaged(t *testing.T) {
	ctx, path := context.Background(), inFolder(t)
	first := opened(t, path)
	withAccount(t, first, "prod")
	first.Close()
	holder, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	connection, err := holder.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE", "DELETE FROM notices"} {
		if _, err := connection.ExecContext(ctx, step); err != nil {
			t.Fatal(err)
		}
	}
	soon, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	_, err = Open(soon, path)
	var damaged *DamagedError
	if err == nil || errors.As(err, &damaged) {
		t.Fatalf("a database that somebody else writes to gave %v", err)
	}
	if why := Why(err); why != "another program holds the file" && why != "it took too long" {
		t.Errorf("it is said to be so because %s", why)
	}
	connection.Close() // the transaction goes with it
	holder.Close()
	if accounts, err := opened(t, path).Accounts(ctx); err != nil || len(accounts) != 1 {
		t.Errorf("%d accounts are left (%v)", len(accounts), err)
	}
}

func TestTwoOpensOfOneFileBothWork(t *testing.T) {
	path := inFolder(t)
	first, second := opened(t, path), opened(t, path)
	withAccount(t, first, "prod")
	var both sync.WaitGroup
	for number, s := range []*Store{first, second} {
		both.Go(func() {
			for at := range 20 {
				if err := s.Write(context.Background(), func(n *Night) { n.Page(onePage("prod", 100*number+at, 1)) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	both.Wait()
	if records, err := first.Remembered(context.Background(), evening); err != nil || len(records) != 40 {
		t.Errorf("%d pages are kept (%v), want 40", len(records), err)
	}
}

func TestAClosedStoreSaysNo(t *testing.T) {
	s := opened(t, inFolder(t))
	s.Close()
	if err := s.Write(context.Background(), func(n *Night) { n.DropNotice("x") }); err == nil {
		t.Error("it wrote")
	}
	if _, err := s.Accounts(context.Background()); err == nil {
		t.Error("it read")
	}
}

func TestWhatWentWrongIsSaidInWords(t *testing.T) {
	for _, err := range []error{errors.New("sql: database is closed"), os.ErrPermission, context.DeadlineExceeded} {
		why := Why(fmt.Errorf("write: %w", err))
		if why == "" || strings.ContainsAny(why, ":()_") || strings.Contains(why, "sql") {
			t.Errorf("%v is told as %q", err, why)
		}
	}
}

// The goal is that writing down what happened never is what an acknowledgement
// waits for.
func BenchmarkWrite(b *testing.B) {
	s := opened(b, inFolder(b))
	withAccount(b, s, "prod")
	number := 0
	for b.Loop() {
		number++
		write(b, s, func(n *Night) {
			n.Page(onePage("prod", number%50, 1))
			n.Entry(Entry{PageID: "x", Epoch: 1, At: evening, Kind: "paged", Text: "Paged: Disk full"})
		})
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/write")
	b.ReportMetric(10, "goal-ms/write")
}
