package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nightstand/app/control"
	"nightstand/app/watch"
	"nightstand/sync/drill"
	"nightstand/tray/siren"
)

// A fire drill sends a page through the whole chain: a paging service of its
// own, the poll, the core, the siren, and whatever face answers it. It proves
// what it measured and nothing else.

// drillAccount is the account of a fire drill; nobody else may have its name.
const drillAccount = "drill"

// The spans of a drill.
const (
	// playedWithin is how long after the page the alarm may take to be played.
	playedWithin = 20 * time.Second
	// answeredWithin is how long somebody may take to answer.
	answeredWithin = 5 * time.Minute
	// drillLook is how often the drill's service is asked what it knows.
	drillLook = 20 * time.Millisecond
	// drillGone is how long the page may take to leave every face afterwards.
	drillGone = 10 * time.Second
)

// ear hears what the output carries; *siren.Ear is one.
type ear interface {
	Heard(ctx context.Context, since time.Time) (siren.Hearing, error)
	Close()
}

// Drill holds a fire drill and tells how it went. Its refusals are
// *control.RefusedError.
func (a *Agent) Drill(ctx context.Context, asked control.Drill) (control.DrillReport, error) {
	if !a.drilling.TryLock() {
		return control.DrillReport{}, &control.RefusedError{Sentence: "A fire drill is going on already. Answer its page, or let it end."}
	}
	defer a.drilling.Unlock()
	pause(ctx, time.Duration(asked.InSeconds*float64(time.Second)))
	if ctx.Err() != nil {
		return control.DrillReport{}, ctx.Err()
	}
	if a.state.Load().Alarm.Pattern != watch.Silent {
		return control.DrillReport{}, &control.RefusedError{Sentence: "Something is ringing, so this is no time for a drill. Answer it first."}
	}
	service, err := drill.New(drill.Options{EscalateAfter: -1, AckLasts: -1})
	if err != nil {
		return control.DrillReport{}, err
	}
	url, stop, err := service.Listen()
	if err != nil {
		return control.DrillReport{}, &control.RefusedError{Sentence: err.Error() + ". No drill was held."}
	}
	defer stop()
	if err := a.beginDrill(ctx, url); err != nil {
		return control.DrillReport{}, err
	}
	defer a.endDrill(context.WithoutCancel(ctx))

	listening, deaf := a.listen(a.parts.Settings.Sound.Device)
	if deaf == nil {
		defer listening.Close()
	}
	began := time.Now()
	id := service.Trigger(drill.Trigger{
		Title: "Fire drill: answer this page", Service: "Nightstand", Priority: "P1", Severity: "critical",
		Details: map[string]string{"this is": "only a drill; nothing is broken"},
	})
	defer func() { _ = service.Resolve(id, "") }() // it may be resolved already
	report := control.DrillReport{}
	played := a.waitForPlayed(ctx, listening, deaf, began, &report)
	if !played {
		report.Sentence += " So do not count on being woken by this machine tonight; “nightstand doctor” looks at its sound."
		a.tellDrill(report)
		return report, nil
	}
	a.waitForAnswer(ctx, service, id, began, &report)
	a.tellDrill(report)
	return report, nil
}

// beginDrill sets the drill's account up and waits until it was looked at, so
// that the time measured is that of the page alone.
func (a *Agent) beginDrill(ctx context.Context, url string) error {
	report, err := a.parts.Accounts.add(ctx, control.NewAccount{
		Name: drillAccount, Provider: "pagerduty", URL: url, Secret: drill.DefaultKey, MemoryOnly: true, Replace: true,
	})
	switch {
	case err != nil:
		return err
	case !report.Kept:
		return &control.RefusedError{Sentence: "No drill was held: " + report.Error}
	}
	a.refreshAccounts()
	for deadline := time.Now().Add(testPatience); ; pause(ctx, drillLook) {
		for _, account := range a.state.Load().Accounts {
			if account.Name == drillAccount && !account.LastGoodPoll.IsZero() {
				return nil
			}
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			a.endDrill(context.WithoutCancel(ctx))
			return &control.RefusedError{Sentence: "No drill was held, because the agent did not come round to its paging service. “nightstand status” says what holds it up."}
		}
	}
}

// endDrill takes the account away again, once no face shows its page.
func (a *Agent) endDrill(ctx context.Context) {
	for deadline := time.Now().Add(drillGone); time.Now().Before(deadline); pause(ctx, 200*time.Millisecond) {
		there := false
		for _, p := range a.state.Load().Pages {
			there = there || p.Account == drillAccount
		}
		if !there {
			break
		}
		a.lines.lookNow(drillAccount)
	}
	if err := a.RemoveAccount(ctx, drillAccount); err != nil && !errors.Is(err, control.ErrUnknown) {
		a.log.Error("the account of the drill stays", "error", err)
	}
}

// waitForPlayed says whether the output's own monitor carried the alarm.
func (a *Agent) waitForPlayed(ctx context.Context, listening ear, deaf error, began time.Time, report *control.DrillReport) bool {
	if deaf != nil {
		report.Sentence = "Whether the alarm was played is not known: " + phrase(deaf.Error()) + "."
		return false
	}
	soon, cancel := context.WithTimeout(ctx, playedWithin)
	defer cancel()
	hearing, err := listening.Heard(soon, began)
	for err == nil && hearing.Heard && hearing.Pattern != siren.Critical { // the blind alarm of another account
		hearing, err = listening.Heard(soon, hearing.At.Add(time.Millisecond))
	}
	switch {
	case err != nil:
		report.Sentence = "Whether the alarm was played is not known: " + phrase(err.Error()) + "."
		return false
	case !hearing.Heard && hearing.Why != "":
		report.Sentence = "Nothing was played: " + phrase(hearing.Why) + "."
		return false
	case !hearing.Heard:
		report.Sentence = fmt.Sprintf("Nothing was played within %s.", short(playedWithin))
		if _, _, trouble := a.parts.Bell.Sounding(); trouble != "" {
			report.Sentence = "Nothing was played: " + phrase(trouble) + "."
		}
		return false
	}
	report.Played, report.Device = true, hearing.Device
	report.PlayedMS = new(hearing.At.Sub(began).Milliseconds())
	report.Level = new(hearing.Level)
	return true
}

// waitForAnswer waits for the service's own word that the page is acknowledged.
func (a *Agent) waitForAnswer(ctx context.Context, service *drill.Service, id string, began time.Time, report *control.DrillReport) {
	for deadline := time.Now().Add(answeredWithin); ctx.Err() == nil && time.Now().Before(deadline); pause(ctx, drillLook) {
		for _, entry := range service.Log() {
			if entry.IncidentID == id && entry.Kind == "acknowledge" {
				report.Acknowledged = true
				report.AcknowledgedMS = new(entry.At.Sub(began).Milliseconds())
				report.Sentence = "The drill went through the whole chain. What the air carried, only an ear knows: did you hear it?"
				return
			}
		}
	}
	report.Sentence = "Nobody answered within " + short(answeredWithin) + ", so the drill ended."
}

// tellDrill writes the drill into the timeline of the night.
func (a *Agent) tellDrill(r control.DrillReport) {
	words := "Fire drill: "
	if r.PlayedMS != nil {
		words += fmt.Sprintf("played after %.1f s. ", float64(*r.PlayedMS)/1000)
	}
	if r.AcknowledgedMS != nil {
		words += fmt.Sprintf("Acknowledged after %.1f s. ", float64(*r.AcknowledgedMS)/1000)
	}
	a.recorder.put(watch.Write{At: time.Now(), Kind: "drill", Text: words + r.Sentence})
}

// listenTo opens an ear on the output that the siren would use.
func listenTo(device string) (ear, error) { return siren.Listen(device) }
