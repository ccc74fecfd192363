package siren

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var zero = time.Unix(1_000_000_000, 0)

// listenTo takes a sound as it would arrive and gives every alarm that was
// heard in it. Its first sample is played at the instant zero.
func listenTo(sound []float32) []Hearing {
	e := newEar("")
	e.stands([]outlet{{Device: Device{ID: "speaker", Name: "speaker"}, volume: 1}}, nil)
	t := tap{ear: e, id: "speaker"}
	for at := 0; at < len(sound); at += 960 {
		end := min(at+960, len(sound))
		t.take(append([]float32(nil), sound[at:end]...), zero.Add(length(sound[:at])))
	}
	return e.heard
}

// ring is an alarm after a silence, as a speaker with samples of 16 bits at
// this volume carries it.
func ring(pattern Pattern, step int, volume float64, silence int, length time.Duration) []float32 {
	var m mixer
	want(&m, 1, pattern, step)
	sound := append(make([]float32, silence), play(&m, length)...)
	for i, s := range sound {
		sound[i] = float32(math.Round(float64(s)*math.Pow(volume, 3)*32768) / 32768)
	}
	return sound
}

// music is chance melodies in several voices, by chance in the alarm's own
// notes and timbres.
func music(chance *rand.Rand, length time.Duration) []float32 {
	sound := make([]float32, samples(length))
	ours := chance.IntN(2) == 0
	shapes := []timbre{urgent, soft, strange, {edge: 5 * time.Millisecond, tilt: 1, decay: 1}, {edge: 5 * time.Millisecond, tilt: 0.8, decay: 0.3}}
	for range 1 + chance.IntN(4) {
		beat := samples(80*time.Millisecond + time.Duration(chance.IntN(300))*time.Millisecond)
		for at := 0; at < len(sound); {
			length := beat * (1 + chance.IntN(4))
			frequency := 220 * math.Pow(2, float64(chance.IntN(25))/12)
			if ours {
				frequency = voices[chance.IntN(len(voices))].frequency
			}
			if end := at + length/2 + chance.IntN(length/2); end < len(sound) {
				tone := make([]float32, end-at)
				pulse(tone, frequency, shapes[chance.IntN(len(shapes))])
				mix(sound[at:], tone, 0.05+0.1*chance.Float64())
			}
			at += length
		}
	}
	return sound
}

func mix(into, sound []float32, gain float64) {
	for i, s := range sound {
		into[i] += float32(gain) * s
	}
}

// effective is the effective value of a sound in dB against full scale.
func effective(sound []float32) float64 {
	var square float64
	for _, s := range sound {
		square += float64(s) * float64(s)
	}
	return 10 * math.Log10(square/float64(len(sound)))
}

// noises are sounds that are not the alarm, some of them near it.
func noises(length time.Duration) map[string][]float32 {
	chance := rand.New(rand.NewPCG(3, 12))
	tone := func(frequency float64, sounds func(at float64) bool) []float32 {
		sound := make([]float32, samples(length))
		for i := range sound {
			if at := float64(i) / Rate; sounds(at) {
				sound[i] = float32(0.3 * math.Sin(2*math.Pi*frequency*at))
			}
		}
		return sound
	}
	always := func(float64) bool { return true }
	white := make([]float32, samples(length))
	for i := range white {
		white[i] = float32(0.2 * chance.NormFloat64())
	}
	held := make([]float32, samples(length))
	pulse(held, 440, urgent)
	for i := range held {
		held[i] *= 0.2
	}
	return map[string][]float32{
		"white noise":              white,
		"a tone of 1 kHz":          tone(1000, always),
		"concert pitch":            tone(440, always),
		"concert pitch in our way": tone(440, func(at float64) bool { return math.Mod(at, 0.28) < 0.18 }),
		"an alarm clock":           tone(2000, func(at float64) bool { return math.Mod(at, 0.24) < 0.15 }),
		"our note, held":           held,
		"music":                    quieter(music(chance, length), -40),
	}
}

// quieter brings a sound to a level in dB.
func quieter(sound []float32, level float64) []float32 {
	gain := math.Pow(10, (level-effective(sound))/20)
	for i := range sound {
		sound[i] *= float32(gain)
	}
	return sound
}

func TestRecognisesEachAlarmAtEveryStepAndWhenItBegan(t *testing.T) {
	for _, pattern := range alarms {
		for step := range Steps {
			for _, volume := range []float64{1, 0.2} {
				if volume < 1 && step > 0 {
					continue // louder than what is found anyway
				}
				// Not where a glance begins.
				silence := samples(300*time.Millisecond) + 97*(step+1)
				found := listenTo(ring(pattern, step, volume, silence, 3*time.Second))
				if len(found) != 1 || found[0].Pattern != pattern {
					t.Errorf("%s at step %d and volume %v: recognised %+v", pattern, step, volume, found)
					continue
				}
				if late := found[0].At.Sub(zero) - length(make([]float32, silence)); late < -2*time.Millisecond || late > 12*time.Millisecond {
					t.Errorf("%s at step %d and volume %v: its beginning is %v off", pattern, step, volume, late)
				}
				loudness := effective(alarmScore(pattern).burst[:samples(150*time.Millisecond)]) + 20*math.Log10(float64(stepGain(step))*math.Pow(volume, 3))
				if math.Abs(found[0].Level-loudness) > 1.5 {
					t.Errorf("%s at step %d and volume %v: %.1f dB is told, it has %.1f", pattern, step, volume, found[0].Level, loudness)
				}
			}
		}
	}
}

func TestRecognisesEveryBurstOnce(t *testing.T) {
	for _, step := range []int{0, Steps - 1} {
		sound := ring(Critical, step, 1, 0, 16*time.Second)
		period := length(alarmScore(Critical).burst) + 2500*time.Millisecond
		if step > 0 {
			period -= 1500 * time.Millisecond
		}
		found := listenTo(sound)
		if want := 1 + int((length(sound)-time.Second)/period); len(found) != want {
			t.Errorf("%d bursts recognised at step %d, not %d", len(found), step, want)
		}
		for i, f := range found {
			if off := f.At.Sub(zero) - time.Duration(i)*period; off.Abs() > 12*time.Millisecond {
				t.Errorf("burst %d at step %d is %v off", i+1, step, off)
			}
		}
	}
}

func TestRecognisesAnAlarmWhoseBeginningWasNotCarried(t *testing.T) {
	whole := ring(Critical, 3, 1, 0, 4*time.Second)
	for cut := 50 * time.Millisecond; cut < 900*time.Millisecond; cut += 130 * time.Millisecond {
		sound := append([]float32(nil), whole...)
		clear(sound[:samples(cut)])
		first := 0
		for math.Abs(float64(sound[first])) < 0.05 {
			first++
		}
		found := listenTo(sound)
		if len(found) != 1 {
			t.Errorf("without its first %v: %+v", cut, found)
			continue
		}
		if off := found[0].At.Sub(zero) - length(sound[:first]); off.Abs() > 20*time.Millisecond {
			t.Errorf("without its first %v: its beginning is %v off", cut, off)
		}
	}
}

func TestRecognisesTheAlarmOverQuietMusic(t *testing.T) {
	for _, pattern := range alarms {
		sound := ring(pattern, 0, 1, samples(time.Second), 2*time.Second)
		background := quieter(music(rand.New(rand.NewPCG(7, 1)), 3*time.Second), -35)
		mix(sound, background, 1)
		found := listenTo(sound)
		if len(found) != 1 || found[0].Pattern != pattern {
			t.Errorf("%s over music 12 dB below it: %+v", pattern, found)
			continue
		}
		if off := found[0].At.Sub(zero) - time.Second; off.Abs() > 20*time.Millisecond {
			t.Errorf("%s over music: its beginning is %v off", pattern, off)
		}
	}
}

func TestTakesNothingElseForTheAlarm(t *testing.T) {
	for name, sound := range noises(4 * time.Second) {
		for _, level := range []float64{-12, -60} {
			if found := listenTo(quieter(sound, level)); len(found) > 0 {
				t.Errorf("%s at %v dB is taken for %+v", name, level, found)
			}
		}
	}
	for seed := range uint64(6) {
		if found := listenTo(music(rand.New(rand.NewPCG(seed, 5)), 6*time.Second)); len(found) > 0 {
			t.Errorf("music %d is taken for %+v", seed, found)
		}
	}
	for tone := range tones {
		if found := listenTo(append(toneScore(tone).burst, make([]float32, Rate/2)...)); len(found) > 0 {
			t.Errorf("the tone %s is taken for %+v", tone, found)
		}
	}
}

func TestWhatNobodyCouldHearIsNotRecognised(t *testing.T) {
	for _, pattern := range alarms {
		if found := listenTo(ring(pattern, Steps-1, lowest, 0, 3*time.Second)); len(found) > 0 {
			t.Errorf("%s at a volume of %v: %+v", pattern, lowest, found)
		}
	}
}
