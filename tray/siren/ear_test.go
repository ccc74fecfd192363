package siren

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// twoOutlets are a speaker that is chosen by default and a headset.
func twoOutlets() []outlet {
	return []outlet{
		{Device: Device{ID: "speaker-id", Name: "Speaker", Default: true}, volume: 1},
		{Device: Device{ID: "headset-id", Name: "Headset"}, volume: 0.5},
	}
}

// rush takes no time and says what was heard by now.
func rush(t *testing.T, e *Ear, since time.Time) Hearing {
	t.Helper()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	hearing, err := e.Heard(over, since)
	if err != nil {
		t.Fatal(err)
	}
	return hearing
}

func TestWhatWasHeardBeforeDoesNotCount(t *testing.T) {
	e := newEar("")
	e.stands(twoOutlets(), nil)
	e.recognise("speaker-id", Critical, zero, -20)
	e.recognise("headset-id", Degraded, zero.Add(9*time.Second), -30)
	e.recognise("speaker-id", Degraded, zero.Add(8*time.Second), -10)
	if h := rush(t, e, zero.Add(-time.Second)); !h.Heard || h.Pattern != Critical || h.Device != "Speaker" || h.Level != -20 {
		t.Errorf("first heard is %+v", h)
	}
	if h := rush(t, e, zero.Add(time.Second)); !h.At.Equal(zero.Add(8 * time.Second)) {
		t.Errorf("the first after a second is %+v", h)
	}
	if h := rush(t, e, zero.Add(10*time.Second)); h.Heard || h.Why == "" {
		t.Errorf("after all is over: %+v", h)
	}
}

func TestSaysWhyNothingWasHeard(t *testing.T) {
	for name, c := range map[string]struct {
		chosen  string
		change  func([]outlet) []outlet
		player  *player
		device  string
		because string
	}{
		"no output":       {"", func([]outlet) []outlet { return nil }, nil, "", "no sound output"},
		"nothing played":  {"", nil, nil, "Speaker", "not found in what any output"},
		"played in vain":  {"", nil, &player{on: "headset-id", volume: 1}, "Headset", "had a stream on “Headset”"},
		"output muted":    {"", func(o []outlet) []outlet { o[0].muted = true; return o }, nil, "Speaker", "output “Speaker” is muted"},
		"chosen muted":    {"Headset", func(o []outlet) []outlet { o[1].muted = true; return o }, nil, "Headset", "output “Headset” is muted"},
		"chosen by ID":    {"headset-id", func(o []outlet) []outlet { o[1].volume = 0.02; return o }, nil, "Headset", "volume of the output “Headset” is at 2 %"},
		"stream muted":    {"", nil, &player{on: "headset-id", muted: true, volume: 1}, "Headset", "own stream on “Headset” is muted"},
		"stream at zero":  {"", nil, &player{on: "speaker-id"}, "Speaker", "own stream on “Speaker” is at 0 %"},
		"nothing to tell": {"", func(o []outlet) []outlet { o[0].doubt = "it is a secret"; return o }, nil, "Speaker", "because it is a secret"},
		"it fell back":    {"Headset", func(o []outlet) []outlet { o[0].muted = true; return o[:1] }, nil, "Speaker", "output “Speaker” is muted"},
	} {
		e := newEar(c.chosen)
		outlets := twoOutlets()
		if c.change != nil {
			outlets = c.change(outlets)
		}
		e.stands(outlets, c.player)
		e.stands(outlets, nil) // our stream is gone meanwhile
		h := rush(t, e, zero)
		if h.Heard || h.Device != c.device || !strings.Contains(h.Why, c.because) {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestWhoWaitsIsWoken(t *testing.T) {
	e := newEar("")
	e.stands(twoOutlets(), nil)
	go func() {
		time.Sleep(20 * time.Millisecond)
		e.recognise("speaker-id", Blind, zero, -20)
	}()
	if h, err := e.Heard(t.Context(), zero.Add(-time.Second)); err != nil || h.Pattern != Blind {
		t.Errorf("heard %+v, %v", h, err)
	}
	close(e.done)
	go func() {
		time.Sleep(20 * time.Millisecond)
		e.Close()
	}()
	if _, err := e.Heard(t.Context(), zero.Add(time.Second)); !errors.Is(err, errEarClosed) {
		t.Errorf("a closed ear says %v", err)
	}
}

// hear lets a tap take a sound that arrives at these delays after each piece
// of 10 ms was there.
func hear(e *Ear, sound []float32, delay func(piece int) time.Duration) {
	t := tap{ear: e, id: "speaker-id"}
	for piece := range len(sound) / hop {
		at := piece * hop
		t.take(append([]float32(nil), sound[at:at+hop]...), zero.Add(length(sound[:at])+delay(piece)))
	}
}

func TestWhatArrivesLateWasNotPlayedLate(t *testing.T) {
	e := newEar("")
	e.stands(twoOutlets(), nil)
	sound := ring(Critical, 0, 1, samples(500*time.Millisecond), 2*time.Second)
	// The machine is busy: for 300 ms around the beginning nothing comes, then
	// all of it at once.
	hear(e, sound, func(piece int) time.Duration {
		if piece >= 40 && piece < 70 {
			return time.Duration(70-piece) * 10 * time.Millisecond
		}
		return 0
	})
	if h := rush(t, e, zero); !h.Heard || h.At.Sub(zero.Add(500*time.Millisecond)).Abs() > accuracy {
		t.Errorf("its beginning is at %v, not at half a second", h.At.Sub(zero))
	}
}

func TestAnIdleOutputDoesNotBendTheTime(t *testing.T) {
	e := newEar("")
	e.stands(twoOutlets(), nil)
	// The output carried an alarm that was ended in the middle, idled for ten
	// minutes in which no sample came, and begins with another.
	first := ring(Critical, 0, 1, 0, 2500*time.Millisecond)
	sound := append(first, ring(Critical, 0, 1, samples(20*time.Millisecond), 2*time.Second)...)
	hear(e, sound, func(piece int) time.Duration {
		if piece >= len(first)/hop {
			return 10 * time.Minute
		}
		return 0
	})
	want := zero.Add(length(first) + 10*time.Minute + 20*time.Millisecond)
	if h := rush(t, e, zero.Add(time.Minute)); !h.Heard || h.At.Sub(want).Abs() > accuracy {
		t.Errorf("the second alarm is heard %+v, %v off", h, h.At.Sub(want))
	}
}

func TestWhatCannotBeHeardIsNotPlayed(t *testing.T) {
	sound := ring(Degraded, 3, 1, 0, 3*time.Second)
	for name, change := range map[string]func(*outlet){
		"muted":     func(o *outlet) { o.muted = true },
		"at 2 %":    func(o *outlet) { o.volume = 0.02 },
		"uncertain": func(o *outlet) { o.doubt = "nobody knows" },
		"gone":      func(o *outlet) { o.ID = "another" },
	} {
		e := newEar("")
		outlets := twoOutlets()
		change(&outlets[0])
		e.stands(outlets, nil)
		hear(e, sound, func(int) time.Duration { return 0 })
		if h := rush(t, e, zero.Add(-time.Second)); h.Heard {
			t.Errorf("%s: heard %+v", name, h)
		}
	}
}
