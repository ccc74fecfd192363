package app

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"nightstand/app/control"
	"nightstand/app/store"
	"nightstand/app/watch"
	"nightstand/tray/siren"
)

// fakeEar hears what the test says.
type fakeEar struct {
	hearing siren.Hearing
	err     error
	closed  bool
}

func (e *fakeEar) Heard(ctx context.Context, since time.Time) (siren.Hearing, error) {
	if e.hearing.Heard {
		e.hearing.At = since.Add(1200 * time.Millisecond)
	}
	return e.hearing, e.err
}

func (e *fakeEar) Close() { e.closed = true }

// hears lets an office listen with this ear.
func (o *office) hears(e *fakeEar) {
	o.agent.listen = func(string) (ear, error) { return e, nil }
}

func TestADrillTellsBothTimesAndLeavesNothingBehind(t *testing.T) {
	o := opensOffice(t)
	listening := &fakeEar{hearing: siren.Hearing{Heard: true, Device: "the test's speaker", Level: -20, Pattern: siren.Critical}}
	o.hears(listening)
	reports := make(chan control.DrillReport, 1)
	go func() {
		report, err := o.agent.Drill(t.Context(), control.Drill{})
		if err != nil {
			t.Error(err)
		}
		reports <- report
	}()
	o.until("the drill rings", func() bool { return o.bell.pattern() == watch.Critical })
	if _, err := o.agent.Drill(t.Context(), control.Drill{}); err == nil || !strings.Contains(err.Error(), "going on already") {
		t.Errorf("a second drill gives %v", err)
	}
	p := o.agent.Pages(false)[0]
	if outcomes, err := o.agent.Acknowledge(t.Context(), []string{p.ID}, false); err != nil || !outcomes[0].Done {
		t.Fatalf("the answer gave %+v (%v)", outcomes, err)
	}
	report := <-reports
	if !report.Played || *report.PlayedMS != 1200 || report.Device != "the test's speaker" || !report.Acknowledged || *report.AcknowledgedMS <= 0 {
		t.Errorf("the drill says %+v", report)
	}
	o.until("nothing of it is left", func() bool { return len(o.agent.Pages(false)) == 0 && len(o.agent.State().Accounts) == 0 })
	if accounts, err := o.agent.parts.Store.Accounts(t.Context()); err != nil || len(accounts) != 0 {
		t.Errorf("there are the accounts %v (%v)", accounts, err)
	}
	if !listening.closed {
		t.Error("it listens still")
	}
	o.until("the night tells of it", func() bool {
		entries, err := o.agent.Timeline(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Kind == "drill" && strings.Contains(e.Text, "Played") || strings.Contains(e.Text, "played after 1.2 s") {
				return true
			}
		}
		return false
	})
}

func TestADrillTellsNoTimeThatThereIsNot(t *testing.T) {
	for name, one := range map[string]struct {
		ear   *fakeEar
		deaf  error
		words string
	}{
		"muted":   {ear: &fakeEar{hearing: siren.Hearing{Why: "the output is muted"}}, words: "Nothing was played: the output is muted."},
		"silent":  {ear: &fakeEar{}, words: "Nothing was played within 20 s."},
		"lost":    {ear: &fakeEar{err: errors.New("the sound system went away.")}, words: "Whether the alarm was played is not known: the sound system went away."},
		"no ears": {deaf: siren.ErrCannotListen, words: "is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			o := opensOffice(t)
			o.agent.listen = func(string) (ear, error) { return one.ear, one.deaf }
			report, err := o.agent.Drill(t.Context(), control.Drill{})
			if err != nil {
				t.Fatal(err)
			}
			if report.Played || report.PlayedMS != nil || report.Level != nil || report.AcknowledgedMS != nil || !strings.Contains(report.Sentence, one.words) {
				t.Errorf("the drill says %+v", report)
			}
			o.until("nothing of it is left", func() bool { return len(o.agent.Pages(false)) == 0 && len(o.agent.State().Accounts) == 0 })
		})
	}
}

func TestWhatADrillLeftBehindIsForgotten(t *testing.T) {
	o := opensOffice(t)
	if _, err := o.agent.AddAccount(t.Context(), control.NewAccount{Name: "drill", Provider: "pagerduty"}); err == nil || !strings.Contains(err.Error(), "kept for fire drills") {
		t.Errorf("the drill's name gives %v", err)
	}
	if err := o.agent.parts.Store.PutAccount(t.Context(), store.Account{Name: drillAccount, Provider: "pagerduty", AddedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	o.agent.parts.Accounts.forgetDrill(t.Context())
	if accounts, err := o.agent.parts.Store.Accounts(t.Context()); err != nil || len(accounts) != 0 {
		t.Errorf("there are the accounts %v (%v)", accounts, err)
	}
}

func TestANoteIsOnTheDiskWhenItIsSaidToBe(t *testing.T) {
	service, work := opensDrill(t)
	o := opensOffice(t)
	if _, err := o.agent.AddAccount(t.Context(), work); err != nil {
		t.Fatal(err)
	}
	service.Trigger(triggerOf("Orders are lost"))
	o.until("it is listed", func() bool { return len(o.agent.Pages(false)) == 1 })
	p := o.agent.Pages(false)[0]
	const typed = "restarted db-2; it’s “better” now\nsecond line \x1b[31mred"
	entry, err := o.agent.AddNote(t.Context(), p.ID, control.NewNote{Text: "  " + typed + "\n"})
	if err != nil || entry.Kind != "note" || entry.Text != "restarted db-2; it’s “better” now\nsecond line red" {
		t.Fatalf("the note gave %+v (%v)", entry, err)
	}
	kept, err := o.agent.parts.Store.Timeline(t.Context(), p.ID, 100)
	if err != nil || kept[len(kept)-1].Text != entry.Text {
		t.Errorf("kept is %+v (%v)", kept, err)
	}
	var refused *control.RefusedError
	if _, err := o.agent.AddNote(t.Context(), p.ID, control.NewNote{Text: " \n "}); !errors.As(err, &refused) {
		t.Errorf("an empty note gives %v", err)
	}
	if _, err := o.agent.AddNote(t.Context(), "nosuch-page", control.NewNote{Text: "x"}); !errors.Is(err, control.ErrUnknown) {
		t.Errorf("a note to nothing gives %v", err)
	}
}
