package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"nightstand/app/store"
	"nightstand/app/watch"
)

// storageSignal names what says whether tonight is being written down.
const storageSignal = "storage"

// recorder writes what the core wants kept, in order, away from the loop: a
// full disk must not be able to stop an alarm.
type recorder struct {
	store  *store.Store
	log    *slog.Logger
	signal func(watch.SignalSeen)

	mu      sync.Mutex
	waiting []watch.Effect
	more    chan struct{}
	failing bool
}

// mostWaiting bounds the memory that a disk without room can cost.
const mostWaiting = 20_000

// retryWrite is how soon a failed write is tried again.
const retryWrite = 5 * time.Second

func newRecorder(s *store.Store, log *slog.Logger, signal func(watch.SignalSeen)) *recorder {
	return &recorder{store: s, log: log, signal: signal, more: make(chan struct{}, 1)}
}

func (r *recorder) put(effect watch.Effect) {
	if r.store == nil {
		return // said already, by the storage signal
	}
	r.mu.Lock()
	r.waiting = r.bounded(append(r.waiting, effect))
	r.mu.Unlock()
	r.again()
}

// bounded keeps what waits from growing without end: half of it is given up
// when there is too much, the oldest lines of the timeline first, because the
// newest state of every page is what the next start needs.
func (r *recorder) bounded(waiting []watch.Effect) []watch.Effect {
	if len(waiting) <= mostWaiting {
		return waiting
	}
	given := 0
	newest := newestRecords(waiting)
	kept := make([]watch.Effect, 0, mostWaiting)
	for at, effect := range waiting {
		_, line := effect.(watch.Write)
		if superseded(newest, at, effect) || line && given < mostWaiting/2 {
			given++
			continue
		}
		kept = append(kept, effect)
	}
	r.log.Error("the database cannot be written for so long that the oldest of what waits was given up", "entries", given)
	return kept[max(0, len(kept)-mostWaiting):]
}

func (r *recorder) run(ctx context.Context) {
	for {
		select {
		case <-r.more:
			if !r.writeAll(context.WithoutCancel(ctx)) {
				pause(ctx, retryWrite)
				r.again()
			}
		case <-ctx.Done():
			r.writeAll(context.WithoutCancel(ctx))
			return
		}
	}
}

func (r *recorder) again() {
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// writeAll writes what waits in one transaction and says whether it worked.
func (r *recorder) writeAll(ctx context.Context) bool {
	r.mu.Lock()
	batch := r.waiting
	r.waiting = nil
	r.mu.Unlock()
	if len(batch) == 0 {
		return true
	}
	err := r.store.Write(ctx, func(n *store.Night) { writeBatch(n, batch) })
	if err == nil {
		if r.failing {
			r.failing = false
			r.signal(watch.SignalSeen{Name: storageSignal, State: watch.SignalOK, Detail: "what happens tonight is written down again"})
		}
		return true
	}
	r.log.Error("could not write to the database", "error", err)
	r.mu.Lock()
	r.waiting = r.bounded(append(batch, r.waiting...))
	r.mu.Unlock()
	if !r.failing {
		r.failing = true
		r.signal(watch.SignalSeen{Name: storageSignal, State: watch.SignalFailed,
			Detail: "what happens tonight cannot be written down: " + store.Why(err) + ". Pages still ring. Make room on the disk or mend its permissions"})
	}
	return false
}

// pageEpoch names one epoch of one page.
type pageEpoch struct {
	page  string
	epoch int
}

// newestRecords finds the last record of each epoch of each page.
func newestRecords(batch []watch.Effect) map[pageEpoch]int {
	newest := map[pageEpoch]int{}
	for at, effect := range batch {
		if keep, is := effect.(watch.Keep); is {
			newest[pageEpoch{keep.Known.Page.ID, keep.Known.Epoch}] = at
		}
	}
	return newest
}

// superseded says that the effect is a record that a later one replaces.
func superseded(newest map[pageEpoch]int, at int, effect watch.Effect) bool {
	keep, is := effect.(watch.Keep)
	return is && newest[pageEpoch{keep.Known.Page.ID, keep.Known.Epoch}] != at
}

// writeBatch writes effects; of several records of one epoch only the last counts.
func writeBatch(n *store.Night, batch []watch.Effect) {
	newest := newestRecords(batch)
	for at, effect := range batch {
		if superseded(newest, at, effect) {
			continue
		}
		switch effect := effect.(type) {
		case watch.Keep:
			n.Page(record(effect.Known))
		case watch.Write:
			n.Entry(store.Entry{PageID: effect.PageID, Epoch: effect.Epoch, At: effect.At, Kind: string(effect.Kind), Text: effect.Text})
		case watch.KeepAccount:
			n.RememberAccount(effect.Known.Name, effect.Known.Instance, effect.Known.Met, effect.Known.Heartbeat)
		case watch.KeepNotice:
			n.Notice(store.Notice{ID: effect.Notice.ID, PageID: effect.Notice.PageID, Ending: string(effect.Notice.Ending), Text: effect.Notice.Text, At: effect.Notice.At})
		case watch.DropNotice:
			n.DropNotice(effect.ID)
		case watch.ForgetAccount: // the account's row is deleted by whoever removed it
		}
	}
}

func record(known watch.Known) store.Page {
	p := &known.Page
	for _, at := range []*time.Time{&p.TriggeredAt, &p.AcknowledgedAt, &p.EscalatesAt, &p.AckExpiresAt, &p.SnoozedUntil} {
		if utc(*at) == nil {
			*at = time.Time{} // no calendar holds it, and it would cost the whole record
		}
	}
	content, err := json.Marshal(known)
	if err != nil {
		content = []byte("{}") // cannot happen: the rest are plain values
	}
	return store.Page{
		Page: known.Page, FirstSeen: known.FirstSeen, Epoch: known.Epoch,
		Rang: known.Rang, Quieted: known.Quieted,
		EndedAt: known.EndedAt, Ending: string(known.Ending),
		AnswerPressed: known.AnswerPressed, Known: content,
	}
}

// recall reads what an earlier run kept. What cannot be read is left out; the
// services tell it again.
func recall(ctx context.Context, s *store.Store, log *slog.Logger) watch.Memory {
	var memory watch.Memory
	if s == nil {
		return memory
	}
	accounts, err := s.Accounts(ctx)
	if err != nil {
		log.Error("could not read the accounts", "error", err)
	}
	for _, account := range accounts {
		memory.Accounts = append(memory.Accounts, watch.KnownAccount{
			Name: account.Name, Instance: account.Instance, Met: account.Met, Heartbeat: account.Heartbeat,
		})
	}
	records, err := s.Remembered(ctx, time.Now().Add(-7*24*time.Hour))
	if err != nil {
		log.Error("could not read the pages", "error", err)
	}
	for _, content := range records {
		var known watch.Known
		if err := json.Unmarshal(content, &known); err != nil || known.Page.ID == "" {
			log.Error("could not read a page", "error", err)
			continue
		}
		memory.Pages = append(memory.Pages, known)
	}
	notices, err := s.Notices(ctx)
	if err != nil {
		log.Error("could not read the kept sentences", "error", err)
	}
	for _, n := range notices {
		memory.Notices = append(memory.Notices, watch.Notice{ID: n.ID, PageID: n.PageID, Ending: watch.Ending(n.Ending), Text: n.Text, At: n.At})
	}
	return memory
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
