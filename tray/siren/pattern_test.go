package siren

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// strength is how strongly a frequency is in a sound, as its amplitude.
func strength(sound []float32, frequency float64) float64 {
	var re, im float64
	for i, s := range sound {
		sin, cos := math.Sincos(2 * math.Pi * frequency * float64(i) / Rate)
		re += float64(s) * cos
		im += float64(s) * sin
	}
	return 2 * math.Hypot(re, im) / float64(len(sound))
}

// pulses cuts a burst where it is silent for ten milliseconds or more.
func pulses(burst []float32) [][]float32 {
	var found [][]float32
	start, silent := -1, 0
	for i, s := range burst {
		if math.Abs(float64(s)) > 1e-4 {
			if start < 0 {
				start = i
			}
			silent = 0
			continue
		}
		silent++
		if start >= 0 && silent == Rate/100 {
			found = append(found, burst[start:i-silent+1])
			start = -1
		}
	}
	if start >= 0 {
		found = append(found, burst[start:len(burst)-silent])
	}
	return found
}

// pitch finds the fundamental of a pulse among the semitones from 150 to
// 1000 Hz: the lowest one that is nearly as strong as any.
func pitch(pulse []float32) float64 {
	best, strongest := 0.0, 0.0
	for f := 146.83; f < 1000; f *= math.Pow(2, 1.0/12) {
		if a := strength(pulse, f); a > 1.2*strongest {
			best, strongest = f, a
		}
	}
	return best
}

func loudest(sound []float32) float64 {
	var peak float64
	for _, s := range sound {
		peak = max(peak, math.Abs(float64(s)))
	}
	return peak
}

var alarms = []Pattern{Critical, Degraded, Minor, Blind}

func TestRhythmTellsThePriority(t *testing.T) {
	for pattern, want := range map[Pattern]int{Critical: 10, Degraded: 5, Minor: 3, Blind: 2} {
		got := pulses(alarmScore(pattern).burst)
		if len(got) != want {
			t.Errorf("%s has %d pulses, not %d", pattern, len(got), want)
		}
		for i, pulse := range got {
			shortest, longest := 120*time.Millisecond, 250*time.Millisecond
			if pattern == Blind {
				shortest, longest = 600*time.Millisecond, 900*time.Millisecond
			}
			if l := length(pulse); l < shortest || l > longest {
				t.Errorf("pulse %d of %s lasts %v", i+1, pattern, l)
			}
		}
	}
}

func TestCriticalRisesAThirdOnTheThirdPulse(t *testing.T) {
	parts := pulses(alarmScore(Critical).burst)
	base := pitch(parts[0])
	for i, part := range parts {
		ratio := pitch(part) / base
		third := i == 2 || i == 7
		if third && math.Abs(ratio-1.25) > 0.03 || !third && math.Abs(ratio-1) > 0.01 {
			t.Errorf("pulse %d stands at %.3f of the first", i+1, ratio)
		}
	}
}

func TestMinorFallsAndBlindIsATritone(t *testing.T) {
	minor := pulses(alarmScore(Minor).burst)
	if !(pitch(minor[0]) > pitch(minor[1]) && pitch(minor[1]) > pitch(minor[2])) {
		t.Errorf("minor does not fall: %.0f, %.0f, %.0f Hz", pitch(minor[0]), pitch(minor[1]), pitch(minor[2]))
	}
	blind := pulses(alarmScore(Blind).burst)
	if ratio := pitch(blind[1]) / pitch(blind[0]); math.Abs(ratio-math.Sqrt2) > 0.01 {
		t.Errorf("the tones of blind are %.3f apart, not a tritone", ratio)
	}
}

func TestEveryPulseCarries(t *testing.T) {
	for _, pattern := range alarms {
		for i, pulse := range pulses(alarmScore(pattern).burst) {
			f := pitch(pulse)
			if f < 150 || f > 1000 {
				t.Fatalf("pulse %d of %s has its fundamental at %.0f Hz", i+1, pattern, f)
			}
			fundamental, harmonics := strength(pulse, f), 0
			for n := 2.0; n*f <= 4000; n++ {
				// A fortieth of the fundamental (−32 dB) is well heard in the ear's best range.
				if strength(pulse, n*f) > fundamental/40 {
					harmonics++
				}
			}
			if harmonics < 4 {
				t.Errorf("pulse %d of %s has %d harmonics up to 4 kHz", i+1, pattern, harmonics)
			}
		}
	}
}

func TestPeakIsOneDecibelBelowFull(t *testing.T) {
	for _, pattern := range alarms {
		if got := 20 * math.Log10(loudest(alarmScore(pattern).burst)); math.Abs(got+1) > 0.01 {
			t.Errorf("%s peaks at %.2f dBFS", pattern, got)
		}
	}
}

func TestPulsesRiseAndFallInTenToTwentyMilliseconds(t *testing.T) {
	bursts := map[string][]float32{}
	for _, pattern := range alarms {
		bursts[string(pattern)] = alarmScore(pattern).burst
	}
	for tone := range tones {
		bursts[string(tone)] = toneScore(tone).burst
	}
	const early, late = Rate * 4 / 1000, Rate * 22 / 1000
	for name, burst := range bursts {
		for i, pulse := range pulses(burst) {
			n, peak := len(pulse), loudest(pulse)
			if loudest(pulse[:early]) > 0.4*peak || loudest(pulse[:late]) < 0.6*peak {
				t.Errorf("pulse %d of %s has reached %.2f after 4 ms and %.2f after 22 ms", i+1, name, loudest(pulse[:early])/peak, loudest(pulse[:late])/peak)
			}
			if loudest(pulse[n-early:]) > 0.4*peak {
				t.Errorf("pulse %d of %s still stands at %.2f, 4 ms before its end", i+1, name, loudest(pulse[n-early:])/peak)
			}
		}
	}
}

func TestNothingClicks(t *testing.T) {
	check := func(name string, burst []float32) {
		if first, last := burst[0], burst[len(burst)-1]; first != 0 || math.Abs(float64(last)) > 1e-3 {
			t.Errorf("%s begins at %v and ends at %v", name, first, last)
		}
		// A pure 4 kHz tone at full moves by 0.52 from sample to sample.
		for i := 1; i < len(burst); i++ {
			if jump := math.Abs(float64(burst[i] - burst[i-1])); jump > 0.55 {
				t.Fatalf("%s jumps by %.2f at sample %d", name, jump, i)
			}
		}
		if at, level := click(burst); level > clickLevel {
			t.Fatalf("%s clicks at %d ms: %.4f", name, at*1000/Rate, level)
		}
	}
	for _, pattern := range alarms {
		check(string(pattern), alarmScore(pattern).burst)
	}
	for tone := range tones {
		check(string(tone), toneScore(tone).burst)
	}
}

// clickLevel lies between the strongest sound of ours without an edge (7e-6) and
// the weakest hard cut (8e-5).
const clickLevel = 5e-5

// click finds where most energy lies far above the highest harmonic, which is
// what an edge makes, and how much it is.
func click(sound []float32) (at int, level float64) {
	const piece = Rate / 100
	for from := 0; from+piece <= len(sound); from += piece / 2 {
		for _, f := range []float64{9000, 12000, 16000} {
			if a := strength(windowed(sound[from:from+piece]), f); a > level {
				at, level = from, a
			}
		}
	}
	return at, level
}

// windowed fades a piece in and out, so that cutting it makes no click of its own.
func windowed(piece []float32) []float32 {
	out := make([]float32, len(piece))
	for i, s := range piece {
		out[i] = s * float32(0.5-0.5*math.Cos(2*math.Pi*float64(i)/float64(len(piece)-1)))
	}
	return out
}

func TestStepsAreFourAudibleOnes(t *testing.T) {
	before := 20 * math.Log10(float64(stepGain(0)))
	if math.Abs(before+14) > 0.01 {
		t.Errorf("step 0 is at %.2f dB", before)
	}
	for step := 1; step < Steps; step++ {
		now := 20 * math.Log10(float64(stepGain(step)))
		if now-before < 3 {
			t.Errorf("step %d is only %.1f dB louder", step, now-before)
		}
		before = now
	}
	if before != 0 || stepGain(99) != 1 || stepGain(-1) != stepGain(0) {
		t.Error("the last step is not full, or a step outside is not the nearest")
	}
}

func TestGapsShrinkToTheFullValue(t *testing.T) {
	for pattern, want := range map[Pattern][2]time.Duration{
		Critical: {2500 * time.Millisecond, time.Second},
		Degraded: {4 * time.Second, 2 * time.Second},
		Blind:    {3 * time.Second, 3 * time.Second},
	} {
		gap := alarmScore(pattern).gap
		if gap(0, 0, false) != samples(want[0]) || gap(9, Steps-1, false) != samples(want[1]) {
			t.Errorf("%s waits %d and %d samples", pattern, gap(0, 0, false), gap(9, Steps-1, false))
		}
		for step := 1; step < Steps; step++ {
			if gap(0, step, false) > gap(0, step-1, false) {
				t.Errorf("the gap of %s grows at step %d", pattern, step)
			}
		}
		if gap(5, 3, true) != samples(time.Minute) {
			t.Errorf("sparse %s does not wait a minute", pattern)
		}
	}
	minor := alarmScore(Minor).gap
	for n, want := range []time.Duration{15 * time.Second, 15 * time.Second, time.Minute, time.Minute} {
		if minor(n, 3, false) != samples(want) {
			t.Errorf("after burst %d minor waits %d samples", n, minor(n, 3, false))
		}
	}
}

func TestEveryEndingHasItsOwnTone(t *testing.T) {
	heard := map[string]Tone{}
	for _, tone := range []Tone{AckConfirmed, AckElsewhere, Taken, Resolved, Reassigned, Forgotten, Gentle} {
		score := toneScore(tone)
		if score == nil {
			t.Fatalf("%s has no tone", tone)
		}
		line := ""
		before := 0.0
		for _, pulse := range pulses(score.burst) {
			f := pitch(pulse)
			switch {
			case before == 0:
				line += "•"
			case f > before*1.02:
				line += "/"
			case f < before*0.98:
				line += "\\"
			default:
				line += "-"
			}
			before = f
		}
		if other, taken := heard[line]; taken {
			t.Errorf("%s and %s have the same line %s", tone, other, line)
		}
		heard[line] = tone
		if l := length(score.burst); l > time.Second {
			t.Errorf("%s lasts %v", tone, l)
		}
		if level := loudest(score.burst) * float64(score.gain(0)); level > 0.2 {
			t.Errorf("%s is as loud as %.2f", tone, level)
		}
	}
	if heard["•/"] != AckConfirmed {
		t.Errorf("a confirmed answer is no rising pair: %v", heard)
	}
}

func TestAnUnknownWordHasNoScore(t *testing.T) {
	if alarmScore("noise") != nil || alarmScore(Silent) != nil || toneScore("noise") != nil {
		t.Error("something renders that nobody wrote")
	}
}

func ExampleAlarm() {
	fmt.Println(Alarm{} == Alarm{Pattern: Silent})
	// Output: true
}
