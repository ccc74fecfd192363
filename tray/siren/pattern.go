package siren

import (
	"math"
	"time"
)

// Rate is the number of samples a second of everything rendered here. The
// sound is mono; a sound system spreads it over its speakers.
const Rate = 48000

const (
	peak     = 0.8912509381337456 // −1 dBFS, the loudest a sample becomes
	quietest = -14.0              // dB of step 0 against the full level
	toneGain = -14.0              // dB of a one-shot tone: heard awake, kind asleep

	ceiling = 4000.0 // Hz; harmonics above it do not carry
)

// Steps is how many loudness steps an alarm has: 0 can already be heard,
// Steps-1 is full.
const Steps = 4

// note is one pulse of a burst and the breath after it.
type note struct {
	frequency float64 // Hz, the fundamental
	length    time.Duration
	rest      time.Duration
}

// timbre shapes the pulses of a burst.
type timbre struct {
	edge  time.Duration // attack and release, each
	decay float64       // how far a pulse fades while it lasts: 0 not at all, 1 to nothing
	tilt  float64       // how quickly the harmonics weaken: their level is 1/n^tilt
}

var (
	urgent  = timbre{edge: 12 * time.Millisecond, tilt: 0.6}
	soft    = timbre{edge: 20 * time.Millisecond, tilt: 1.2, decay: 0.6}
	strange = timbre{edge: 20 * time.Millisecond, tilt: 0.5}
)

// The rhythm tells the priority, as the medical alarm standard taught. Pulses
// of one group are 80 to 100 ms apart, groups a little more, and the halves of
// a critical burst are a breath apart.
var (
	criticalBurst = []note{
		{523.25, 150 * time.Millisecond, 90 * time.Millisecond},
		{523.25, 150 * time.Millisecond, 90 * time.Millisecond},
		{654.06, 150 * time.Millisecond, 240 * time.Millisecond}, // a third higher
		{523.25, 150 * time.Millisecond, 90 * time.Millisecond},
		{523.25, 150 * time.Millisecond, 600 * time.Millisecond}, // the breath
		{523.25, 150 * time.Millisecond, 90 * time.Millisecond},
		{523.25, 150 * time.Millisecond, 90 * time.Millisecond},
		{654.06, 150 * time.Millisecond, 240 * time.Millisecond},
		{523.25, 150 * time.Millisecond, 90 * time.Millisecond},
		{523.25, 150 * time.Millisecond, 0},
	}
	degradedBurst = []note{
		{440, 180 * time.Millisecond, 100 * time.Millisecond},
		{440, 180 * time.Millisecond, 100 * time.Millisecond},
		{440, 180 * time.Millisecond, 340 * time.Millisecond},
		{440, 180 * time.Millisecond, 100 * time.Millisecond},
		{440, 180 * time.Millisecond, 0},
	}
	minorBurst = []note{
		{392.00, 250 * time.Millisecond, 100 * time.Millisecond},
		{329.63, 250 * time.Millisecond, 100 * time.Millisecond},
		{261.63, 250 * time.Millisecond, 0},
	}
	blindBurst = []note{
		{311.13, 800 * time.Millisecond, 60 * time.Millisecond},
		{440.00, 800 * time.Millisecond, 0}, // six semitones up
	}
)

// score is one burst ready to be played, and how long to wait until the next.
type score struct {
	burst []float32
	// gap is how many samples are silent after burst number n (from 0) at a
	// loudness step; a negative gap ends the score.
	gap func(n, step int, sparse bool) int
	// gain is the factor at a loudness step.
	gain func(step int) float32
}

// alarmScore renders the burst of a pattern; nil for a pattern without one.
func alarmScore(p Pattern) *score {
	switch p {
	case Critical:
		return &score{render(criticalBurst, urgent), shrinking(2500*time.Millisecond, time.Second), stepGain}
	case Degraded:
		return &score{render(degradedBurst, urgent), shrinking(4*time.Second, 2*time.Second), stepGain}
	case Minor:
		return &score{render(minorBurst, soft), patient, stepGain}
	case Blind:
		return &score{render(blindBurst, strange), shrinking(3*time.Second, 3*time.Second), stepGain}
	}
	return nil
}

// shrinking is a gap that narrows in even parts from the first step to the last.
func shrinking(first, full time.Duration) func(int, int, bool) int {
	return func(_, step int, sparse bool) int {
		if sparse {
			return samples(time.Minute)
		}
		part := float64(within(step)) / (Steps - 1)
		return samples(first - time.Duration(part*float64(first-full)))
	}
}

// patient is the gap of a minor page: fifteen seconds twice, then a minute.
func patient(n, _ int, sparse bool) int {
	if n < 2 && !sparse {
		return samples(15 * time.Second)
	}
	return samples(time.Minute)
}

// stepGain climbs to full in even parts, each well above what an ear notices.
func stepGain(step int) float32 {
	return decibels(quietest * float64(Steps-1-within(step)) / (Steps - 1))
}

func within(step int) int { return min(max(step, 0), Steps-1) }

// The tones of the endings. They differ in their line, not only in their
// pitch, so that they can be told apart without having heard another before.
var tones = map[Tone][]note{
	AckConfirmed: {{523.25, 130 * time.Millisecond, 40 * time.Millisecond}, {783.99, 180 * time.Millisecond, 0}},
	AckElsewhere: {{523.25, 130 * time.Millisecond, 40 * time.Millisecond}, {659.26, 130 * time.Millisecond, 40 * time.Millisecond}, {783.99, 180 * time.Millisecond, 0}},
	Taken:        {{659.26, 150 * time.Millisecond, 50 * time.Millisecond}, {440, 220 * time.Millisecond, 0}},
	Resolved:     {{659.26, 130 * time.Millisecond, 30 * time.Millisecond}, {523.25, 130 * time.Millisecond, 30 * time.Millisecond}, {392, 130 * time.Millisecond, 30 * time.Millisecond}, {261.63, 250 * time.Millisecond, 0}},
	Reassigned:   {{392, 140 * time.Millisecond, 40 * time.Millisecond}, {587.33, 140 * time.Millisecond, 40 * time.Millisecond}, {392, 200 * time.Millisecond, 0}},
	Forgotten:    {{220, 250 * time.Millisecond, 120 * time.Millisecond}, {220, 250 * time.Millisecond, 0}},
	Gentle:       {{349.23, 250 * time.Millisecond, 0}},
}

// toneScore renders a one-shot tone; nil for one that does not exist.
func toneScore(t Tone) *score {
	notes, known := tones[t]
	if !known {
		return nil
	}
	return &score{
		burst: render(notes, soft),
		gap:   func(int, int, bool) int { return -1 },
		gain:  func(int) float32 { return decibels(toneGain) },
	}
}

// render writes the notes one after the other and scales the whole so that its
// loudest sample is exactly the peak.
func render(notes []note, shape timbre) []float32 {
	var length int
	for _, n := range notes {
		length += samples(n.length) + samples(n.rest)
	}
	burst := make([]float32, length)
	at := 0
	for _, n := range notes {
		pulse(burst[at:at+samples(n.length)], n.frequency, shape)
		at += samples(n.length) + samples(n.rest)
	}
	loudest := float32(0)
	for _, s := range burst {
		loudest = max(loudest, s, -s)
	}
	for i := range burst {
		burst[i] *= peak / loudest
	}
	return burst
}

// pulse writes one note: the fundamental and its harmonics under an envelope
// that starts and ends at zero.
func pulse(out []float32, frequency float64, shape timbre) {
	edge := float64(samples(shape.edge))
	last := float64(len(out) - 1)
	weights := shape.harmonics(frequency)
	for i := range out {
		at := float64(i)
		level := rise(at/edge) * rise((last-at)/edge) * (1 - shape.decay*at/last)
		var sum float64
		for n, weight := range weights {
			sum += weight * math.Sin(2*math.Pi*float64(n+1)*frequency*at/Rate)
		}
		out[i] = float32(level * sum)
	}
}

// harmonics are how strong the fundamental and each harmonic of a note are.
func (shape timbre) harmonics(frequency float64) []float64 {
	var weights []float64
	for n := 1.0; n <= 6 && n*frequency <= ceiling; n++ {
		weights = append(weights, math.Pow(n, -shape.tilt))
	}
	return weights
}

// rise is a half cosine from 0 at 0 to 1 at 1: an edge that does not click.
func rise(x float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	}
	return (1 - math.Cos(math.Pi*x)) / 2
}

func decibels(d float64) float32 { return float32(math.Pow(10, d/20)) }

func samples(d time.Duration) int { return int(int64(d) * Rate / int64(time.Second)) }

func length(burst []float32) time.Duration {
	return time.Duration(len(burst)) * time.Second / Rate
}
