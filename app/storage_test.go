package app

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nightstand/app/page"
	"nightstand/app/store"
	"nightstand/app/watch"
)

func TestAPageRingsWhateverBecomesOfTheDatabase(t *testing.T) {
	for name, c := range map[string]struct {
		open func(t *testing.T) *store.Store
		says string
	}{
		"there is none": {func(*testing.T) *store.Store { return nil }, ""},
		"it was closed": {func(t *testing.T) *store.Store {
			s := database(t, filepath.Join(t.TempDir(), "n.db"))
			s.Close()
			return s
		}, "what happens tonight cannot be written down: the database does not work."},
		"it is read-only": {func(t *testing.T) *store.Store {
			path := filepath.Join(t.TempDir(), "n.db")
			database(t, path).Close()
			s, err := store.OpenToRead(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}, "what happens tonight cannot be written down: the file may not be written."},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kept := c.open(t)
				if kept != nil {
					defer kept.Close()
				}
				service := newPaging(triggered(1))
				e := runs(t, Parts{Store: kept}, service)
				defer e.end()
				time.Sleep(4 * time.Second)
				e.mustSound(t, watch.Critical, "with such a database")
				if outcomes, err := e.agent.Acknowledge(t.Context(), nil, true); err != nil || len(outcomes) != 1 || !outcomes[0].Done {
					t.Errorf("the answer gave %+v (%v)", outcomes, err)
				}
				seen := e.signal(storageSignal)
				if c.says != "" && (seen.State != watch.SignalFailed || !strings.HasPrefix(seen.Detail, c.says)) {
					t.Errorf("the signal is %s: %q", seen.State, seen.Detail)
				}
				time.Sleep(time.Minute) // it goes on trying
				if beat := e.page(t, triggered(1).ID); beat.Status != page.Acknowledged {
					t.Errorf("a minute later the page is %s", beat.Status)
				}
			})
		})
	}
}

func TestANightGoesOnAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.db")
	synctest.Test(t, func(t *testing.T) {
		kept := database(t, path)
		answered, ringing := triggered(1), triggered(2)
		service := newPaging(answered)
		e := runs(t, Parts{Store: kept}, service)
		time.Sleep(3 * time.Second)
		if _, err := e.agent.Acknowledge(t.Context(), []string{answered.ID}, false); err != nil {
			t.Fatal(err)
		}
		service.list(ringing)
		time.Sleep(4 * time.Second)
		e.end()
		if err := kept.Close(); err != nil {
			t.Fatal(err)
		}

		kept = database(t, path)
		defer kept.Close()
		silent := newPaging() // a line that has not answered yet
		silent.hang = true
		again := runs(t, Parts{Store: kept}, silent)
		defer again.end()
		time.Sleep(time.Second)
		state := again.agent.state.Load()
		if len(state.Pages) != 2 {
			t.Fatalf("%d pages are remembered, want two", len(state.Pages))
		}
		if got := again.page(t, answered.ID); got.Status != page.Acknowledged || !got.AcknowledgedByMe {
			t.Errorf("the answered page is remembered as %s", got.Status)
		}
		if len(state.Notices) != 1 || state.Notices[0].Ending != watch.EndedHere {
			t.Errorf("the kept sentences are %+v", state.Notices)
		}
		detail, err := again.agent.Page(t.Context(), answered.ID)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, entry := range detail.Timeline {
			told = append(told, entry.Kind)
		}
		if got := strings.Join(told, " "); !strings.HasPrefix(got, "paged answer_pressed confirmed") {
			t.Errorf("the timeline tells %q", got)
		}
		time.Sleep(12 * time.Second)
		again.mustSound(t, watch.Critical, "twelve seconds after a start without sight")
		silent.set(func() { silent.hang = false })
		silent.list(answered, ringing)
		time.Sleep(10 * time.Second)
		again.mustSound(t, watch.Critical, "with sight")
	})
}

func TestAnAnswerNobodyConfirmedIsSentByTheNextRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.db")
	synctest.Test(t, func(t *testing.T) {
		kept := database(t, path)
		p := triggered(1)
		service := newPaging(p)
		e := runs(t, Parts{Store: kept}, service)
		time.Sleep(2 * time.Second)
		service.set(func() { service.slow = time.Minute })
		e.agent.Observe(watch.Acknowledge{IDs: []string{p.ID}})
		time.Sleep(time.Second)
		e.end()
		kept.Close()

		kept = database(t, path)
		defer kept.Close()
		service = newPaging(p)
		again := runs(t, Parts{Store: kept}, service)
		defer again.end()
		time.Sleep(5 * time.Second)
		if got := again.page(t, p.ID); got.Answer != watch.AnswerIsConfirmed {
			t.Errorf("the answer is %q: %s", got.Answer, got.AnswerReason)
		}
	})
}

func TestTheDatabaseComingBackIsSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.db")
	s := database(t, path)
	var seen []watch.SignalSeen
	r := newRecorder(s, discard(), func(one watch.SignalSeen) { seen = append(seen, one) })
	line := watch.Write{At: time.Now(), Kind: watch.KindBlind, Text: "prod cannot be seen"}
	s.Close()
	r.put(line)
	for range 3 {
		if r.writeAll(context.Background()) {
			t.Fatal("a closed database took it")
		}
	}
	r.store = database(t, path)
	defer r.store.Close()
	if !r.writeAll(context.Background()) {
		t.Fatal("the open database did not take it")
	}
	if len(seen) != 2 || seen[0].State != watch.SignalFailed || seen[1].State != watch.SignalOK {
		t.Errorf("it was said %+v, want once each", seen)
	}
	if kept, err := r.store.Timeline(t.Context(), "", 10); err != nil || len(kept) != 1 {
		t.Errorf("%d lines are kept (%v), want the one", len(kept), err)
	}
}

func TestWhatWaitsForTheDiskHasABoundAndKeepsTheNewest(t *testing.T) {
	var log bytes.Buffer
	s := database(t, filepath.Join(t.TempDir(), "n.db"))
	defer s.Close()
	r := newRecorder(s, slog.New(slog.NewTextHandler(&log, nil)), func(watch.SignalSeen) {})
	p := triggered(1)
	for number := range 3 * mostWaiting {
		r.put(watch.Keep{Known: watch.Known{Page: p, Epoch: 1 + number/mostWaiting, Hushes: number}})
		if number%2 == 0 {
			r.put(watch.Write{PageID: p.ID, At: time.Now(), Kind: watch.KindPaged, Text: p.Title})
		}
		if len(r.waiting) > mostWaiting {
			t.Fatalf("%d entries wait", len(r.waiting))
		}
	}
	r.waiting = r.bounded(append(r.waiting, r.waiting...)) // as after a write that failed
	if len(r.waiting) > mostWaiting {
		t.Errorf("after a failed write %d entries wait", len(r.waiting))
	}
	if log.Len() == 0 {
		t.Error("what was given up was given up without a word")
	}
	if !r.writeAll(t.Context()) {
		t.Fatal("it could not be written")
	}
	memory := recall(t.Context(), s, discard())
	if len(memory.Pages) != 1 || memory.Pages[0].Hushes != 3*mostWaiting-1 {
		t.Errorf("the newest record was given up: %+v", memory.Pages)
	}
}

func TestEveryEpochOfOneBatchIsWritten(t *testing.T) {
	s := database(t, filepath.Join(t.TempDir(), "n.db"))
	defer s.Close()
	r := newRecorder(s, discard(), func(watch.SignalSeen) {})
	p := triggered(1)
	for epoch := 1; epoch <= 3; epoch++ {
		r.put(watch.Keep{Known: watch.Known{Page: p, Epoch: epoch}})
		r.put(watch.Keep{Known: watch.Known{Page: p, Epoch: epoch, Rang: true}})
	}
	newest := newestRecords(r.waiting)
	if len(newest) != 3 {
		t.Errorf("%d epochs are kept of three", len(newest))
	}
	if !r.writeAll(t.Context()) {
		t.Fatal("it could not be written")
	}
	memory := recall(t.Context(), s, discard())
	if len(memory.Pages) != 1 || memory.Pages[0].Epoch != 3 || !memory.Pages[0].Rang {
		t.Errorf("it is remembered as %+v", memory.Pages)
	}
}

func TestWhomAPageGoesToIsRemembered(t *testing.T) {
	s := database(t, filepath.Join(t.TempDir(), "n.db"))
	defer s.Close()
	p := triggered(1)
	p.AssignedTo, p.EscalatesTo, p.EscalatesAt = "Ana Lima", "Béla Kovács and Dana Ito", time.Date(2026, 11, 23, 3, 17, 0, 0, time.UTC)
	if err := s.Write(t.Context(), func(n *store.Night) { n.Page(record(watch.Known{Page: p, Epoch: 1})) }); err != nil {
		t.Fatal(err)
	}
	got := recall(t.Context(), s, discard()).Pages[0].Page
	if got.AssignedTo != p.AssignedTo || got.EscalatesTo != p.EscalatesTo || !got.EscalatesAt.Equal(p.EscalatesAt) {
		t.Errorf("it is remembered as %+v", got)
	}
	described := describePage(got)
	if described.AssignedTo != p.AssignedTo || described.EscalatesTo != p.EscalatesTo {
		t.Errorf("it is described as %+v", described)
	}
}

func TestATimeOutsideOfAllCalendarsCostsNothingElse(t *testing.T) {
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("west", -12*3600)).UTC()
	p := triggered(1)
	p.EscalatesAt, p.TriggeredAt = far, far
	record := record(watch.Known{Page: p, Epoch: 1})
	if string(record.Known) == "{}" {
		t.Error("a page with a strange time is forgotten by the next start")
	}
	described := describePage(p)
	if described.TriggeredAt != nil || described.ID != p.ID {
		t.Errorf("it is described as %+v", described)
	}
}

func TestADamagedRecordDoesNotCostTheOthers(t *testing.T) {
	s := database(t, filepath.Join(t.TempDir(), "n.db"))
	defer s.Close()
	good, bad := triggered(1), triggered(2)
	err := s.Write(t.Context(), func(n *store.Night) {
		n.Page(record(watch.Known{Page: good, Epoch: 1}))
		broken := record(watch.Known{Page: bad, Epoch: 1})
		broken.Known = []byte(`{"Page": 7}`)
		n.Page(broken)
	})
	if err != nil {
		t.Fatal(err)
	}
	memory := recall(t.Context(), s, discard())
	if len(memory.Pages) != 1 || memory.Pages[0].Page.ID != good.ID {
		t.Errorf("it remembers %+v", memory.Pages)
	}
}
