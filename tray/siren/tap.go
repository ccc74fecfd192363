package siren

import (
	"math"
	"time"
)

// pause is how long an output must have brought nothing for what comes before
// and after to be two things.
const pause = 200 * time.Millisecond

// tap takes what one output carries, in the pieces in which it arrives. It
// belongs to the goroutine that brings them.
type tap struct {
	ear *Ear
	id  string // of the output

	recogniser recogniser
	arrivals   []arrival

	last  Pattern   // of the burst that was recognised last
	until time.Time // when it still sounded
}

// arrival is when a piece came: the latest time at which its first sample,
// counted from the very first, can have been on the monitor. Servers hand a
// piece on when they have mixed it, which is before they play it, so its other
// samples follow in their time.
type arrival struct {
	sample int64
	at     time.Time
}

// take listens to samples that have just arrived. What nobody can hear is taken
// as silence. The samples may be changed.
func (t *tap) take(sound []float32, now time.Time) {
	if t.ear.isShut(t.id) {
		clear(sound)
	}
	t.arrive(now)
	found := t.recogniser.take(sound)
	for _, f := range found {
		first := t.recogniser.beginning(f, t.seam(f.from))
		began := t.when(first)
		same := f.tune.pattern == t.last && began.Sub(t.until) < sameTime
		t.last, t.until = f.tune.pattern, arrival{first, began}.timeOf(f.until)
		if !same {
			t.ear.recognise(t.id, f.tune.pattern, began, 10*math.Log10(f.power))
		}
	}
}

// arrive notes that the next sample comes now. An idle output brings nothing
// for minutes and a busy machine brings late what it has, so counting from the
// first sample would lead astray. But no sample arrives before it was on the
// monitor, and it was there before a later one by what lies between, or more.
// So what comes in time tells of what came late before it.
func (t *tap) arrive(now time.Time) {
	t.arrivals = append(t.arrivals, arrival{t.recogniser.taken, now})
	for t.arrivals[0].sample < t.recogniser.taken-memory*hop {
		t.arrivals = t.arrivals[1:]
	}
	for i := len(t.arrivals) - 1; i > 0; i-- {
		latest := t.arrivals[i].timeOf(t.arrivals[i-1].sample)
		if !latest.Before(t.arrivals[i-1].at) {
			break
		}
		t.arrivals[i-1].at = latest
	}
}

// timeOf is when another sample was there if nothing was missing between.
func (a arrival) timeOf(sample int64) time.Time {
	return a.at.Add(time.Duration(sample-a.sample) * time.Second / Rate)
}

// when tells when a sample was on the monitor.
func (t *tap) when(sample int64) time.Time {
	for i := len(t.arrivals) - 1; i > 0; i-- {
		if t.arrivals[i].sample <= sample {
			return t.arrivals[i].timeOf(sample)
		}
	}
	return t.arrivals[0].timeOf(sample)
}

// seam is the first sample after the last pause of the output before a sample,
// to within a few glances.
func (t *tap) seam(before int64) int64 {
	for i := len(t.arrivals) - 1; i > 0; i-- {
		here := t.arrivals[i]
		if here.sample <= before+ahead*hop && here.at.Sub(t.arrivals[i-1].timeOf(here.sample)) > pause {
			return here.sample
		}
	}
	return 0
}
