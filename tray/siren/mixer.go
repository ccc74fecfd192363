package siren

import (
	"sync"
	"sync/atomic"
)

// order is what the speaker is asked to play. It is never changed once the
// mixer has it; a new wish is a new order.
type order struct {
	// turn names one start of one score: the same turn goes on where it is,
	// a new one begins at its first sample.
	turn   uint64
	score  *score
	gain   float32
	step   int
	sparse bool
}

// mixer turns orders into samples. The first fields are shared; the last ones
// belong to the audio thread alone, which never allocates, never waits
// and never calls anything that could.
type mixer struct {
	wanted atomic.Pointer[order]
	// finished is the turn of the last order that was played to its end.
	finished atomic.Uint64

	// rendering keeps two audio threads apart while one stream takes over from
	// a lost one; whoever comes second gets zeros and does not wait.
	rendering sync.Mutex

	playing *order
	at      int     // samples since the burst began, gap included
	burst   int     // which burst of the order it is, from 0
	level   float32 // the gain of the last sample
	done    bool    // the order has been played to its end
}

// slope is how much the gain may change from one sample to the next: the full
// range in ten milliseconds, too slow to click and quick enough to be at once.
const slope = 1.0 / (Rate / 100)

// fill writes the next samples.
func (m *mixer) fill(out []float32) {
	if !m.rendering.TryLock() {
		clear(out)
		return
	}
	defer m.rendering.Unlock()
	wanted := m.wanted.Load()
	for i := range out {
		out[i] = m.next(wanted)
	}
}

func (m *mixer) next(wanted *order) float32 {
	if m.playing != wanted {
		m.turnTo(wanted)
	}
	if m.playing == nil || m.done {
		return 0
	}
	target := float32(0)
	if m.playing == wanted {
		target = wanted.gain
	}
	m.level = approach(m.level, target)

	burst := m.playing.score.burst
	sample := float32(0)
	if m.at < len(burst) {
		sample = burst[m.at] * m.level
	}
	m.at++
	if m.at > len(burst) {
		gap := m.playing.score.gap(m.burst, m.playing.step, m.playing.sparse)
		switch {
		case gap < 0:
			m.done = true
			m.finished.Store(m.playing.turn)
		case m.at >= len(burst)+gap:
			m.at, m.burst = 0, m.burst+1
		}
	}
	return sample
}

// turnTo takes the new order as soon as that makes no click: at once when it
// only changes the loudness or nothing is heard, else when the old burst has
// faded away.
func (m *mixer) turnTo(wanted *order) {
	switch {
	case m.playing != nil && wanted != nil && m.playing.turn == wanted.turn:
		m.playing = wanted
	case m.playing == nil || m.done || m.level == 0 || m.at >= len(m.playing.score.burst):
		m.playing, m.at, m.burst, m.done = wanted, 0, 0, false
		m.level = 0
		if wanted != nil {
			// A burst begins at zero by itself.
			m.level = wanted.gain
		}
	}
}

func approach(from, to float32) float32 {
	if from < to {
		return min(from+slope, to)
	}
	return max(from-slope, to)
}
