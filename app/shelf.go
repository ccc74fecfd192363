package app

import (
	"context"
	"encoding/json"
	"fmt"

	"nightstand/app/store"
	"nightstand/sync/outbox"
)

// shelf keeps the errands of one account in the database.
type shelf struct {
	store   *store.Store
	account string
}

func (s shelf) Keep(ctx context.Context, w outbox.Waiting) (int64, error) {
	p, err := json.Marshal(w.Page)
	if err != nil {
		return 0, err
	}
	errand, err := json.Marshal(w.Errand)
	if err != nil {
		return 0, err
	}
	return s.store.PutErrand(ctx, store.Errand{
		Account: s.account, PageID: w.Page.ID, Asked: w.Errand.Asked, Page: p, Errand: errand,
	})
}

func (s shelf) Tried(ctx context.Context, id int64) error { return s.store.MarkErrandTried(ctx, id) }

func (s shelf) Drop(ctx context.Context, id int64) error { return s.store.DropErrand(ctx, id) }

func (s shelf) Waiting(ctx context.Context) ([]outbox.Waiting, error) {
	kept, err := s.store.Errands(ctx, s.account)
	if err != nil {
		return nil, err
	}
	var waiting []outbox.Waiting
	for _, k := range kept {
		w := outbox.Waiting{ID: k.ID}
		if err := json.Unmarshal(k.Page, &w.Page); err != nil {
			return nil, fmt.Errorf("read an errand: %w", err)
		}
		if err := json.Unmarshal(k.Errand, &w.Errand); err != nil {
			return nil, fmt.Errorf("read an errand: %w", err)
		}
		w.Errand.Tried = k.Tried
		waiting = append(waiting, w)
	}
	return waiting, nil
}
