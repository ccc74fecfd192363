package app

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"nightstand/app/watch"
	"nightstand/sync/drill"
)

func triggerOf(title string) drill.Trigger { return drill.Trigger{Title: title, Priority: "P1"} }

func TestBehindTheLockNotificationsTellTheSeverityOnly(t *testing.T) {
	secret := func(p watch.PageState) watch.PageState {
		p.Title, p.Service, p.AnswerReason = "SECRET title", "SECRET service", "SECRET reason"
		return p
	}
	s := ring(secret(calling(1)), secret(calling(2)))
	asked := secret(answered(3))
	asked.StillOnIt = true
	s.Pages = append(s.Pages, asked)
	s.Blind = []string{"SECRET account cannot be seen"}
	s.Notices = []watch.Notice{{ID: "n", Ending: watch.EndedResolved, Text: "SECRET is resolved"}}

	all := behindTheLock(notes(s), s)
	if len(all) != 4 {
		t.Fatalf("there are %d notifications", len(all))
	}
	for _, note := range all {
		words := note.Title + note.Body + note.Fixed
		for _, a := range note.Actions {
			words += a.Label
		}
		if strings.Contains(words, "SECRET") {
			t.Errorf("%s tells %q", note.Key, words)
		}
	}
	if all[0].Title != "2 pages, the worst critical" || len(all[0].Actions) != 2 {
		t.Errorf("the alarm is told as %+v", all[0])
	}
	if single := behindTheLock(notes(ring(calling(1))), ring(calling(1)))[0].Title; single != "Critical page" {
		t.Errorf("one page is told as %q", single)
	}
}

func TestTheScreenIsLitUpForWhatIsNewAndKeptLit(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	woken := make(chan struct{}, 100)
	f := &wakeFace{
		wake: func(context.Context) []string { woken <- struct{}{}; return nil },
		log:  slog.New(slog.DiscardHandler), now: func() time.Time { return now },
	}
	times := func() int {
		time.Sleep(20 * time.Millisecond)
		count := 0
		for {
			select {
			case <-woken:
				count++
			default:
				return count
			}
		}
	}
	f.Show(onShift())
	if n := times(); n != 0 {
		t.Errorf("lit up %d times while nothing rings", n)
	}
	for range 5 {
		f.Show(ring(calling(1)))
	}
	if n := times(); n != 1 {
		t.Errorf("lit up %d times for one page", n)
	}
	f.Show(ring(calling(1), calling(2)))
	if n := times(); n != 1 {
		t.Errorf("lit up %d times for another page", n)
	}
	now = now.Add(wakeEvery)
	f.Show(ring(calling(1), calling(2)))
	if n := times(); n != 1 {
		t.Errorf("lit up %d times while it goes on ringing", n)
	}
	f.Show(onShift(answered(1)))
	if n := times(); n != 0 {
		t.Errorf("lit up %d times after the answer", n)
	}
}
