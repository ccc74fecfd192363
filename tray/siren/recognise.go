package siren

import (
	"math"
	"time"
)

// Whoever listens for our alarm must not take somebody's music for it. So two
// questions are asked of a sound. A hundred times a second: is this one of our
// notes, its fundamental and its harmonics as strong as we render them, and
// little else beside it? And then: do the notes come as long, and with the
// silence between them, as in an alarm of ours? Music has our notes at times;
// it does not have them in our rhythm and silence where we have silence.

const (
	hop   = Rate / 100 // samples from one glance to the next
	sight = 3 * hop    // samples of a glance: within a pulse, and enough to tell its notes apart

	// What a glance needs to be one of our notes, each a part of 1.
	dominance = 0.35 // how much of all that sounds its fundamental and harmonics are
	likeness  = 0.93 // the cosine between their strengths and ours: a lone sine has at most 0.87
	least     = 0.04 // how much of all that sounds the fundamental is, if both of these are so

	// faintest is the level of a note, in dB of its effective value against
	// full scale, below which nobody could hear it. The first loudness step
	// on an output at 20 % is 15 dB above.
	faintest = -80.0

	margin   = 2                      // glances left out beside an edge, where a glance sees both sides of it
	enough   = 0.75                   // how many glances of a note or a rest must be as expected
	back     = 40                     // glances before a phrase in which a note of it may have been cut short
	ahead    = 8                      // glances by which a phrase may be recognised as beginning too early
	hush     = 0.1                    // the most that may be left of a note's power in the rest after it
	memory   = 400                    // glances kept: more than the longest stretch that is compared, with what came before it
	sameTime = 800 * time.Millisecond // what follows a phrase of an alarm sooner belongs to the same burst
)

// voice is how a note of ours sounds.
type voice struct {
	frequency float64 // Hz, the fundamental
	// profile is how strong the fundamental and each harmonic are, as a vector
	// of length 1.
	profile []float64
}

// tune is one alarm as it is listened for.
type tune struct {
	pattern Pattern
	edge    time.Duration
	voices  []int // the voices it has
	// phrases are stretches of its burst that nothing else sounds like.
	phrases [][]expectation
}

// expectation is what a glance should see when a phrase is what sounds.
type expectation struct {
	after int // glances since the phrase began
	note  int // which note of the phrase it belongs to, the rest after it included
	voice int
	rest  bool
}

var voices, tunes = learn()

// learn makes from the patterns what is listened for. Three notes are enough to
// know an alarm by; the two long ones of the blind alarm are as well. A phrase
// may begin at any note, because the first ones may not have been carried.
func learn() ([]voice, []tune) {
	var voices []voice
	var tunes []tune
	for _, alarm := range []struct {
		pattern Pattern
		burst   []note
		shape   timbre
	}{
		{Critical, criticalBurst, urgent}, {Degraded, degradedBurst, urgent},
		{Minor, minorBurst, soft}, {Blind, blindBurst, strange},
	} {
		learnt := tune{pattern: alarm.pattern, edge: alarm.shape.edge}
		known := make(map[float64]int)
		for _, n := range alarm.burst {
			if _, met := known[n.frequency]; !met {
				known[n.frequency] = len(voices)
				learnt.voices = append(learnt.voices, len(voices))
				voices = append(voices, voice{n.frequency, alarm.shape.profile(n.frequency)})
			}
		}
		size := min(3, len(alarm.burst))
		for first := 0; first+size <= len(alarm.burst); first++ {
			learnt.phrases = append(learnt.phrases, phrase(alarm.burst[first:first+size], known))
		}
		tunes = append(tunes, learnt)
	}
	return voices, tunes
}

// profile is how strong the fundamental and its harmonics are.
func (shape timbre) profile(frequency float64) []float64 {
	strengths := shape.harmonics(frequency)
	var square float64
	for _, strength := range strengths {
		square += strength * strength
	}
	for n := range strengths {
		strengths[n] /= math.Sqrt(square)
	}
	return strengths
}

// phrase writes down what each glance should see while these notes sound.
func phrase(notes []note, known map[float64]int) []expectation {
	var expected []expectation
	glances := func(d time.Duration) int { return samples(d) / hop }
	at := 0
	for i, n := range notes {
		sounding, silent := glances(n.length), glances(n.rest)
		if silent == 0 {
			silent = glances(100 * time.Millisecond) // of the gap between bursts
		}
		for after := margin; after < sounding+silent-margin; after++ {
			if beside := after - sounding; beside <= -margin || beside >= margin {
				expected = append(expected, expectation{at + after, i, known[n.frequency], beside >= 0})
			}
		}
		at += sounding + silent
	}
	return expected
}

// glance is what was seen in 30 ms of sound.
type glance struct {
	// power is the mean square of each voice's fundamental and harmonics, or of
	// the fundamental alone where it is too weak for the voice to be ours.
	power []float64
	// ours says that it is this voice that sounds.
	ours []bool
}

// finding is a phrase of an alarm of ours that was recognised.
type finding struct {
	tune tune
	// from and until are the samples with which its first note began and its
	// last one ended, to within a few glances, counted from the first taken.
	from, until int64
	// power is the mean square of its first note.
	power float64
}

// recogniser follows what one output carries. It belongs to one goroutine.
type recogniser struct {
	next    []float64 // the samples of the next glance
	taken   int64     // samples so far
	glances []glance  // the newest last
	newest  int64     // the sample in the middle of the newest
}

// take listens to the next samples and gives each phrase of ours that was
// recognised in them. A burst has many, the first of them ends half a second to
// two after it began, and most are recognised several times in a row.
func (r *recogniser) take(sound []float32) []finding {
	var found []finding
	for _, s := range sound {
		r.next = append(r.next, float64(s))
		r.taken++
		if len(r.next) < sight {
			continue
		}
		r.remember(see(r.next))
		r.next = append(r.next[:0], r.next[hop:]...)
		r.newest = r.taken - sight/2
		if f, is := r.compare(); is {
			found = append(found, f)
		}
	}
	return found
}

func (r *recogniser) remember(g glance) {
	if len(r.glances) == memory {
		r.glances = append(r.glances[:0], r.glances[1:]...)
	}
	r.glances = append(r.glances, g)
}

// compare looks whether a phrase of ours has just ended.
func (r *recogniser) compare() (finding, bool) {
	for _, tune := range tunes {
		for _, expected := range tune.phrases {
			start := len(r.glances) - 1 - expected[len(expected)-1].after
			if start < 0 {
				continue
			}
			power, is := r.follows(expected, start)
			if !is {
				continue
			}
			last := len(expected) - 1
			for expected[last].rest {
				last--
			}
			return finding{tune, r.sample(start), r.sample(start + expected[last].after), power}, true
		}
	}
	return finding{}, false
}

// sample is the sample in the middle of a glance.
func (r *recogniser) sample(glance int) int64 {
	return r.newest - int64(len(r.glances)-1-glance)*hop
}

// follows says whether the glances from start on are as expected, and how
// strong the first note is.
func (r *recogniser) follows(expected []expectation, start int) (float64, bool) {
	var first float64
	for len(expected) > 0 {
		count := 1
		for count < len(expected) && expected[count].note == expected[0].note {
			count++
		}
		power, is := r.holds(expected[:count], start)
		if !is {
			return 0, false
		}
		if first == 0 {
			first = power
		}
		expected = expected[count:]
	}
	return first, true
}

// holds says whether one note sounds and its rest is silent, and how strong
// the note is.
func (r *recogniser) holds(expected []expectation, start int) (float64, bool) {
	var power float64
	var sounding, ours, silent, quiet int
	for _, e := range expected {
		seen := r.glances[start+e.after]
		switch {
		case !e.rest:
			sounding++
			if seen.ours[e.voice] {
				ours++
				power += seen.power[e.voice]
			}
		default:
			silent++
			if ours > 0 && seen.power[e.voice] <= hush*power/float64(ours) {
				quiet++
			}
		}
	}
	return power / max(float64(ours), 1), float64(ours) >= enough*float64(sounding) && float64(quiet) >= enough*float64(silent)
}

// beginning is the sample with which began what was carried of an alarm. It
// lies before the phrase that was recognised when a note was cut short, but not
// before the seam: what came before that sample was heard another time.
func (r *recogniser) beginning(f finding, seam int64) int64 {
	for at := range r.glances {
		s := r.sample(at)
		if s < max(f.from-back*hop, seam) || s < f.from+ahead*hop && !r.glances[at].has(f.tune.voices, f.power/4) {
			continue
		}
		// A glance that is centred on the middle of an edge sees half of the
		// note's strength, a quarter of its power.
		return max(s-int64(samples(f.tune.edge)/2), seam)
	}
	return max(f.from, seam)
}

// has says whether one of these voices sounds at least so strongly.
func (g glance) has(voices []int, power float64) bool {
	for _, v := range voices {
		if g.ours[v] && g.power[v] >= power {
			return true
		}
	}
	return false
}

// view fades a glance in and out, so that a note does not spill into its
// neighbours' frequencies.
var view = func() []float64 {
	weights := make([]float64, sight)
	for i := range weights {
		weights[i] = (1 - math.Cos(2*math.Pi*(float64(i)+0.5)/sight)) / 2
	}
	return weights
}()

// The sum of the weights of a view, and of their squares.
const (
	viewed        = sight / 2.0
	viewedSquared = sight * 3.0 / 8
)

// see looks for each of our voices in a glance's samples.
func see(sound []float64) glance {
	g := glance{make([]float64, len(voices)), make([]bool, len(voices))}
	var weighed [sight]float64
	var all float64
	for i, s := range sound {
		weighed[i] = s * view[i]
		all += weighed[i] * weighed[i] / viewedSquared
	}
	floor := math.Pow(10, faintest/10)
	if all < floor {
		return g
	}
	for i, v := range voices {
		fundamental := amplitude(weighed[:], v.frequency)
		power, along := fundamental*fundamental/2, fundamental*v.profile[0]
		if power >= least*all {
			for n, strength := range v.profile[1:] {
				a := amplitude(weighed[:], v.frequency*float64(n+2))
				power += a * a / 2
				along += a * strength
			}
			g.ours[i] = power >= floor && power >= dominance*all && along*along/2 >= likeness*likeness*power
		}
		g.power[i] = power
	}
	return g
}

// amplitude is how strongly one frequency is in a weighed sound: Goertzel's
// way, a resonator tuned to it, which is cheap where few frequencies matter.
func amplitude(weighed []float64, frequency float64) float64 {
	tuning := 2 * math.Cos(2*math.Pi*frequency/Rate)
	var last, before float64
	for _, s := range weighed {
		last, before = s+tuning*last-before, last
	}
	square := last*last + before*before - tuning*last*before
	return 2 * math.Sqrt(max(square, 0)) / viewed
}
