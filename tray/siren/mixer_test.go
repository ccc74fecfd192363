package siren

import (
	"testing"
	"time"
)

// play lets the mixer run in the pieces a sound system asks for.
func play(m *mixer, length time.Duration) []float32 {
	sound := make([]float32, samples(length))
	for at := 0; at < len(sound); at += 360 {
		m.fill(sound[at:min(at+360, len(sound))])
	}
	return sound
}

func want(m *mixer, turn uint64, p Pattern, step int) {
	score := alarmScore(p)
	if now := m.wanted.Load(); now != nil && now.turn == turn {
		score = now.score
	}
	m.wanted.Store(&order{turn: turn, score: score, gain: score.gain(step), step: step})
}

// mustNotClick listens where one order gives way to another.
func mustNotClick(t *testing.T, before, after []float32) {
	t.Helper()
	if _, level := click(append(append([]float32(nil), before...), after...)); level > clickLevel {
		t.Errorf("the change clicks: %.4f", level)
	}
}

func TestMixerRepeatsTheBurstAfterItsGap(t *testing.T) {
	var m mixer
	want(&m, 1, Critical, 3)
	burst := len(m.wanted.Load().score.burst)
	sound := play(&m, 12*time.Second)
	starts := 0
	for at := 0; at < len(sound); at += burst + Rate {
		end := min(at+Rate/10, len(sound))
		if loudest(sound[at:end]) > 0.3 {
			starts++
		}
	}
	if bursts := (len(sound) + burst + Rate - 1) / (burst + Rate); starts != bursts {
		t.Errorf("%d bursts begin where %d should", starts, bursts)
	}
	if n := len(pulses(sound[:burst+Rate])); n != 10 {
		t.Errorf("the first burst has %d pulses", n)
	}
}

func TestMixerIsQuietTenMillisecondsAfterSilence(t *testing.T) {
	// Wherever in its wave the sound is met.
	for cut := 60 * time.Millisecond; cut < 64*time.Millisecond; cut += 300 * time.Microsecond {
		var m mixer
		want(&m, 1, Critical, 3)
		before := play(&m, cut)
		m.wanted.Store(nil)
		after := play(&m, 60*time.Millisecond)
		if loudest(before[len(before)-480:]) < 0.3 {
			t.Fatal("it was not sounding")
		}
		if rest := loudest(after[490:]); rest != 0 {
			t.Errorf("%.4f is left after the fade", rest)
		}
		mustNotClick(t, before, after)
	}
}

func TestMixerChangesLoudnessInPlace(t *testing.T) {
	var changed, steady mixer
	want(&changed, 1, Critical, 0)
	want(&steady, 1, Critical, 3)
	first := play(&changed, 70*time.Millisecond)
	play(&steady, 70*time.Millisecond)
	want(&changed, 1, Critical, 3)
	got, expected := play(&changed, 500*time.Millisecond), play(&steady, 500*time.Millisecond)
	for i := 480; i < len(got); i++ {
		if got[i] != expected[i] {
			t.Fatalf("sample %d after the change is %v, not %v: the burst did not go on", i, got[i], expected[i])
		}
	}
	mustNotClick(t, first, got)
}

func TestMixerBeginsAnotherPatternAtOnce(t *testing.T) {
	var m mixer
	want(&m, 1, Minor, 3)
	minor := play(&m, 2*time.Second) // into the fifteen seconds between bursts
	if loudest(minor[len(minor)-480:]) != 0 {
		t.Fatal("it is not in the gap")
	}
	want(&m, 2, Critical, 3)
	if loudest(play(&m, 50*time.Millisecond)) < 0.3 {
		t.Error("the new pattern waits for the old gap")
	}
	// And out of the middle of a pulse, without a click.
	before := play(&m, 20*time.Millisecond)
	want(&m, 3, Blind, 3)
	after := play(&m, time.Second)
	mustNotClick(t, before, after)
	if strength(after[Rate/10:Rate/2], 311.13) < 0.1 {
		t.Error("the new pattern is not heard")
	}
}

func TestMixerPlaysAToneOnce(t *testing.T) {
	var m mixer
	score := toneScore(AckConfirmed)
	m.wanted.Store(&order{turn: 7, score: score, gain: score.gain(0)})
	if n := len(pulses(play(&m, 3*time.Second))); n != 2 {
		t.Errorf("%d pulses", n)
	}
	if m.finished.Load() != 7 {
		t.Error("the end of the tone is not told")
	}
}

func TestMixerDoesNotAllocate(t *testing.T) {
	var m mixer
	want(&m, 1, Critical, 2)
	out := make([]float32, 360)
	if n := testing.AllocsPerRun(2000, func() { m.fill(out) }); n != 0 {
		t.Errorf("%v allocations a call on the audio thread", n)
	}
}
