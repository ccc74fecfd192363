package alertmanager_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/alertmanager"
	"nightstand/sync/alertmanager/alertmanagertest"
	"nightstand/sync/outbox"
	"nightstand/sync/provider"
)

// The tests of this file press once for many pages.

const quietRoute = "route: {receiver: default}\nreceivers: [{name: default}]\n"

// stormOf starts a real server on which so many disks are full.
func stormOf(t *testing.T, count int) *alertmanagertest.Server {
	t.Helper()
	server := alertmanagertest.Start(t, alertmanagertest.Options{Config: quietRoute})
	var alerts []alertmanagertest.Alert
	for i := range count {
		alerts = append(alerts, firing(with(diskFull, "instance", fmt.Sprintf("db-%04d", i))))
	}
	server.Post(alerts...)
	return server
}

// answers notes what an outbox reports of each page.
type answers struct {
	mutex   sync.Mutex
	started map[string]time.Time
	told    map[string]int
	errs    map[string]error
	after   map[string]page.Page
	slowest time.Duration
	all     sync.WaitGroup
}

func (a *answers) Started(l outbox.Letter) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.started[l.Page.UpstreamID] = time.Now()
}

func (a *answers) Arrived(l outbox.Letter, after page.Page) { a.note(l, after, nil) }
func (a *answers) Failed(l outbox.Letter, err error)        { a.note(l, page.Page{}, err) }

func (a *answers) note(l outbox.Letter, after page.Page, err error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	id := l.Page.UpstreamID
	if begun, was := a.started[id]; was {
		a.slowest = max(a.slowest, time.Since(begun))
	}
	if a.told[id]++; a.told[id] > 1 {
		return // counted; the group must not fall below zero
	}
	a.errs[id], a.after[id] = err, after
	a.all.Done()
}

// press puts an acknowledgement of every page into an outbox and returns what
// became of them, each told once, and how long it took.
func press(t *testing.T, p *alertmanager.Provider, pages []page.Page) (*answers, time.Duration) {
	t.Helper()
	got := &answers{started: map[string]time.Time{}, told: map[string]int{}, errs: map[string]error{}, after: map[string]page.Page{}}
	line := outbox.NewLine(p, got)
	got.all.Add(len(pages))
	for _, one := range pages {
		line.Put(outbox.Letter{Page: one})
	}
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	began := time.Now()
	running.Go(func() { line.Run(ctx) })
	got.all.Wait()
	took := time.Since(began)
	end()
	running.Wait()
	for _, one := range pages {
		if got.told[one.UpstreamID] != 1 {
			t.Errorf("%s was told of %d times", one.Title, got.told[one.UpstreamID])
		}
	}
	return got, took
}

func TestOnePressForManyPagesIsQuick(t *testing.T) {
	for _, count := range []int{500, 2000} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			server := stormOf(t, count)
			p := account(t, alertmanager.Options{URL: server.URL})
			pages := open(t, p).Pages
			got, took := press(t, p, pages)
			t.Logf("%d pages acknowledged and confirmed in %s, the slowest %s after its own request", len(pages), took.Round(time.Millisecond), got.slowest.Round(time.Millisecond))
			for _, one := range pages {
				after, err := got.after[one.UpstreamID], got.errs[one.UpstreamID]
				if err != nil || after.UpstreamID != one.UpstreamID || after.Status != page.Acknowledged || !after.AcknowledgedByMe {
					t.Fatalf("%s: %+v, %v", one.Title, after, err)
				}
			}
			if active := server.ActiveSilences(); len(active) != count {
				t.Errorf("%d pages, %d silences", count, len(active))
			}
			if limit := 4 * time.Second * time.Duration(count) / 500; took > limit {
				t.Errorf("it took %s, more than %s", took, limit)
			}
			if got.slowest > 8*time.Second {
				t.Errorf("a page waited %s for its confirmation", got.slowest)
			}
		})
	}
}

func TestABatchOfAllKinds(t *testing.T) {
	server := stormOf(t, 40)
	anna := account(t, alertmanager.Options{URL: server.URL, AckLasts: 10 * time.Minute})
	pages := open(t, anna).Pages
	gone, taken, ours, muted := pages[3], pages[11], pages[17], pages[23]
	labels := func(one page.Page) map[string]string {
		all := map[string]string{}
		for _, label := range one.Labels {
			all[label.Name] = label.Value
		}
		return all
	}
	ben := account(t, alertmanager.Options{URL: server.URL, User: "ben"})
	if _, err := ben.Acknowledge(t.Context(), taken); err != nil {
		t.Fatal(err)
	}
	before, err := anna.Acknowledge(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	server.Silence(alertmanagertest.Silence{Matchers: alertmanagertest.Equal(labels(muted)), CreatedBy: "ben", Comment: "deploying"})
	server.Resolve(labels(gone))
	again := firing(labels(gone))
	again.StartsAt = time.Now().UTC()
	server.Post(again) // it fires anew: the page of before has ended

	longer := account(t, alertmanager.Options{URL: server.URL, AckLasts: time.Hour})
	for i, answer := range longer.AcknowledgeAll(t.Context(), pages) {
		var by *provider.TakenError
		switch one := pages[i]; one.UpstreamID {
		case gone.UpstreamID:
			if !errors.Is(answer.Err, provider.ErrGone) {
				t.Errorf("the ended one: %+v", answer)
			}
		case taken.UpstreamID:
			if !errors.As(answer.Err, &by) || by.By != "ben" {
				t.Errorf("ben's: %+v", answer)
			}
		default:
			if answer.Err != nil || answer.After.UpstreamID != one.UpstreamID || !answer.After.AcknowledgedByMe {
				t.Errorf("%s: %+v", one.Title, answer)
			}
			if one.UpstreamID == ours.UpstreamID && !answer.After.AckExpiresAt.After(before.AckExpiresAt.Add(30*time.Minute)) {
				t.Errorf("ours was to be prolonged from %s, it runs out at %s", before.AckExpiresAt, answer.After.AckExpiresAt)
			}
			if (one.UpstreamID == muted.UpstreamID) != (answer.After.MutedBy != "") {
				t.Errorf("%s is muted by %q", one.Title, answer.After.MutedBy)
			}
		}
	}
	// 38 of anna's, ben's answer and ben's mute; the new firing has none.
	if active := server.ActiveSilences(); len(active) != 40 {
		t.Errorf("%d silences, want 40", len(active))
	}
	for _, one := range open(t, longer).Pages {
		if fresh := one.TriggeredAt.After(gone.TriggeredAt.Add(30 * time.Second)); fresh != (one.Status == page.Triggered) {
			t.Errorf("the poll after says that %s of %s is %s", one.Title, one.TriggeredAt, one.Status)
		}
	}
	if none := longer.AcknowledgeAll(t.Context(), nil); len(none) != 0 {
		t.Errorf("nothing asked, %+v answered", none)
	}
}

func TestAWireCutInTheMiddleOfABatch(t *testing.T) {
	server := stormOf(t, 300)
	proxy := between(t, server)
	p := account(t, alertmanager.Options{URL: "http://" + proxy.Listen})
	pages := open(t, p).Pages

	cut := make(chan struct{})
	go func() {
		defer close(cut)
		for len(server.ActiveSilences()) < 80 {
			time.Sleep(5 * time.Millisecond)
		}
		proxy.Stop()
	}()
	got, took := press(t, p, pages)
	<-cut
	confirmed, failed := 0, 0
	for _, one := range pages {
		switch err := got.errs[one.UpstreamID]; {
		case err == nil && got.after[one.UpstreamID].Status == page.Acknowledged:
			confirmed++
		case provider.KindOf(err) == provider.Unreachable:
			failed++
		default:
			t.Errorf("%s: %+v, %v", one.Title, got.after[one.UpstreamID], err)
		}
	}
	t.Logf("cut after 80 silences: %d confirmed, %d told as not arrived, after %s", confirmed, failed, took.Round(time.Millisecond))
	if confirmed == 0 || failed == 0 {
		t.Errorf("%d confirmed and %d not, though the cut came in between", confirmed, failed)
	}
	if took > 9*time.Second {
		t.Errorf("the last was told after %s", took)
	}

	// Pressed again over a whole wire, what did arrive gets no second silence.
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	p = account(t, alertmanager.Options{URL: "http://" + proxy.Listen})
	got, _ = press(t, p, open(t, p).Pages)
	for id, err := range got.errs {
		if err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if active := server.ActiveSilences(); len(active) != 300 {
		t.Errorf("300 pages, %d silences", len(active))
	}
}

// A silence that is turned down is one page's trouble; and a few posts at once
// are not more than a few.
func TestANoInTheMiddleOfABatch(t *testing.T) {
	server := stormOf(t, 60)
	var posts, atOnce, most atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			now := atOnce.Add(1)
			defer atOnce.Add(-1)
			for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
			}
			if posts.Add(1) == 30 {
				http.Error(w, "no", http.StatusInternalServerError)
				return
			}
		}
		forward(t, server.URL, w, r, false)
	}))
	defer front.Close()
	p := account(t, alertmanager.Options{URL: front.URL})
	refused := 0
	for i, answer := range p.AcknowledgeAll(t.Context(), open(t, p).Pages) {
		switch {
		case answer.Err == nil && answer.After.Status == page.Acknowledged:
		case provider.KindOf(answer.Err) == provider.Broken:
			refused++
		default:
			t.Errorf("page %d: %+v", i, answer)
		}
	}
	if refused != 1 || posts.Load() != 60 {
		t.Errorf("%d of %d answers came back, want 1 of 60", refused, posts.Load())
	}
	if got := most.Load(); got < 2 || got > 4 {
		t.Errorf("%d posts at once", got)
	}
}
