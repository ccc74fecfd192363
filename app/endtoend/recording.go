//go:build linux

package endtoend

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// How the speaker is recorded: 16-bit stereo, looked at in windows of 10 ms.
const (
	sampleRate  = 48000
	channels    = 2
	frameBytes  = 2 * channels
	windowSpan  = 10 * time.Millisecond
	windowBytes = sampleRate / 100 * frameBytes
)

// Loud is the loudness from which a window counts as heard, in decibels of the
// effective value below full scale. The tone that proves a speaker (−54 dBFS
// at its peak) is below it, every step of an alarm above.
const Loud = -50.0

// Recording is what left the speaker, window by window, since Listen. Times
// are those of the machine's clock, right to within about 20 ms.
type Recording struct {
	tb   testing.TB
	sink string

	mu      sync.Mutex
	start   time.Time // of the first window
	bytes   int64
	windows []float32 // decibels below full scale
	ended   error
}

// Listen records the sink "speaker" until the test ends or the sink does, and
// returns when the recording runs.
func (d *Desktop) Listen() *Recording {
	d.tb.Helper()
	return d.ListenTo("speaker")
}

// ListenTo is Listen for another sink.
func (d *Desktop) ListenTo(sink string) *Recording {
	d.tb.Helper()
	// The monitor of an idle sink delivers nothing, which would bend time.
	awake := d.Run(nil, "pacat", "--playback", "--raw", "--device="+sink, "--client-name=keep-awake",
		"--latency-msec=20", "--rate=48000", "--channels=2", "--format=s16le", "/dev/zero")
	command := d.Command("parec", "--raw", "--device="+sink+".monitor", "--client-name=ear",
		"--latency-msec=20", "--rate=48000", "--channels=2", "--format=s16le")
	ours, theirs, err := os.Pipe()
	if err != nil {
		d.tb.Fatal(err)
	}
	command.Stdout = theirs
	ear := startProcess(d.tb, "parec", filepath.Join(d.Directory, "log"), command)
	theirs.Close()
	d.ears[sink] = append(d.ears[sink], ear, awake)
	raw, err := os.Create(filepath.Join(d.Directory, fmt.Sprintf("%s-%d.raw", sink, ear.ID())))
	if err != nil {
		d.tb.Fatal(err)
	}
	r := &Recording{tb: d.tb, sink: sink}
	done := make(chan struct{})
	d.tb.Cleanup(func() {
		ear.Stop()
		<-done
		ours.Close()
		if d.tb.Failed() {
			r.keep(raw)
		}
		raw.Close()
	})
	go func() {
		defer close(done)
		r.take(ours, raw)
	}()
	// Half a second, so that the start is known well before it is relied on.
	ear.awaitReady(d.tb, readyWithin, func() error {
		if length := r.Length(); length < 500*time.Millisecond {
			return fmt.Errorf("only %v were recorded", length)
		}
		return nil
	})
	return r
}

// take reads the recording to its end.
func (r *Recording) take(from io.Reader, raw io.Writer) {
	chunk := make([]byte, windowBytes)
	var rest []byte
	for {
		n, err := from.Read(chunk)
		now := time.Now()
		r.mu.Lock()
		if n > 0 {
			r.bytes += int64(n)
			// No chunk can come before it was played: the earliest start that
			// any chunk allows is the best known.
			start := now.Add(-time.Duration(r.bytes/frameBytes) * time.Second / sampleRate)
			if r.start.IsZero() || start.Before(r.start) {
				r.start = start
			}
			rest = append(rest, chunk[:n]...)
			for ; len(rest) >= windowBytes; rest = rest[windowBytes:] {
				r.windows = append(r.windows, loudness(rest[:windowBytes]))
			}
			if _, failed := raw.Write(chunk[:n]); failed != nil && err == nil {
				err = failed
			}
		}
		r.ended = err
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// loudness is the effective value of 16-bit samples in decibels below full
// scale, -120 for silence.
func loudness(samples []byte) float32 {
	var sum float64
	for i := 0; i+1 < len(samples); i += 2 {
		value := float64(int16(binary.LittleEndian.Uint16(samples[i:]))) / 32768
		sum += value * value
	}
	if sum == 0 {
		return -120
	}
	return float32(max(-120, 10*math.Log10(sum/float64(len(samples)/2))))
}

// Length is how much was recorded so far.
func (r *Recording) Length() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Duration(len(r.windows)) * windowSpan
}

// Loudness is the loudest window between two instants, in decibels below full
// scale; -120 is silence. What is not recorded yet is waited for, and a time
// before the recording fails the test.
func (r *Recording) Loudness(from, to time.Time) float64 {
	r.tb.Helper()
	r.waitUntil(to)
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.index(from)
	if first < 0 {
		r.tb.Fatalf("nothing was recorded at %v, the recording began at %v", from, r.start)
	}
	loudest := float32(-120)
	for i := first; i < min(len(r.windows), r.index(to)); i++ {
		loudest = max(loudest, r.windows[i])
	}
	return float64(loudest)
}

// LoudSince says whether anything was heard from this instant until now.
func (r *Recording) LoudSince(t time.Time) bool {
	r.tb.Helper()
	return r.Loudness(t, time.Now()) >= Loud
}

// FirstLoudAfter waits for the first loud window after an instant and returns
// when it began; false when none came within the time, counted from t.
func (r *Recording) FirstLoudAfter(t time.Time, within time.Duration) (time.Time, bool) {
	r.tb.Helper()
	for end := t.Add(within); ; time.Sleep(windowSpan) {
		over := r.heardUntil(end)
		r.mu.Lock()
		for i := max(0, r.index(t)); i < min(len(r.windows), r.index(end)); i++ {
			if r.windows[i] >= Loud {
				at := r.start.Add(time.Duration(i) * windowSpan)
				r.mu.Unlock()
				return at, true
			}
		}
		r.mu.Unlock()
		if over {
			return time.Time{}, false
		}
	}
}

// QuietAfter waits for a stretch of silence that is at least span long, which
// must be more than the pauses of the pattern that rings, and returns when it
// began: t itself if nothing was heard after t. False when there was no such
// stretch that began within the time, counted from t.
func (r *Recording) QuietAfter(t time.Time, span, within time.Duration) (time.Time, bool) {
	r.tb.Helper()
	for end := t.Add(within + span); ; time.Sleep(windowSpan) {
		over := r.heardUntil(end)
		r.mu.Lock()
		first := max(0, r.index(t))
		since := first
		for i := first; i < len(r.windows); i++ {
			if r.windows[i] >= Loud {
				since = i + 1
			}
			if time.Duration(i+1-since)*windowSpan >= span {
				at := r.start.Add(time.Duration(since) * windowSpan)
				r.mu.Unlock()
				if at.Before(t) {
					at = t
				}
				return at, at.Sub(t) <= within
			}
		}
		r.mu.Unlock()
		if over {
			return time.Time{}, false
		}
	}
}

// waitUntil returns when the recording has come to this instant.
func (r *Recording) waitUntil(t time.Time) {
	r.tb.Helper()
	for !r.heardUntil(t) {
		time.Sleep(windowSpan)
	}
}

// heardUntil says whether the recording has come to this instant. It fails the
// test when it never will.
func (r *Recording) heardUntil(t time.Time) bool {
	r.tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.index(t) <= len(r.windows) {
		return true
	}
	if r.ended != nil {
		r.tb.Fatalf("the recording ended at %v (%v)", r.start.Add(time.Duration(len(r.windows))*windowSpan), r.ended)
	}
	if late := time.Since(t); late > readyWithin {
		r.tb.Fatalf("the recording stands still: it is %v late", late)
	}
	return false
}

// index is the window that holds this instant; it may not be recorded yet.
func (r *Recording) index(t time.Time) int {
	return int(math.Floor(float64(t.Sub(r.start)) / float64(windowSpan)))
}

// Picture draws a stretch as text, a sign for each 10 ms: what a failed test
// shows instead of a sound.
func (r *Recording) Picture(from, to time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out strings.Builder
	for i := max(0, r.index(from)); i < min(len(r.windows), r.index(to)); i++ {
		switch level := r.windows[i]; {
		case level >= -12:
			out.WriteByte('#')
		case level >= -30:
			out.WriteByte('+')
		case level >= Loud:
			out.WriteByte('-')
		default:
			out.WriteByte('.')
		}
	}
	return out.String()
}

// keep writes the whole recording as a WAV file under NIGHTSTAND_SHOTS, if that
// is set.
func (r *Recording) keep(raw *os.File) {
	path := keep(strings.ReplaceAll(r.tb.Name(), "/", "_") + "-" + r.sink + ".wav")
	if path == "" {
		return
	}
	if err := writeWAV(path, raw); err != nil {
		r.tb.Logf("the recording could not be kept: %v", err)
		return
	}
	r.tb.Logf("the recording is %s and begins at %s", path, r.start.Format("15:04:05.000"))
}

func writeWAV(path string, raw *os.File) error {
	size, err := raw.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	header := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(36+size))...)
	header = append(header, "WAVEfmt "...)
	header = binary.LittleEndian.AppendUint32(header, 16)
	header = binary.LittleEndian.AppendUint16(header, 1) // plain samples
	header = binary.LittleEndian.AppendUint16(header, channels)
	header = binary.LittleEndian.AppendUint32(header, sampleRate)
	header = binary.LittleEndian.AppendUint32(header, sampleRate*frameBytes)
	header = binary.LittleEndian.AppendUint16(header, frameBytes)
	header = binary.LittleEndian.AppendUint16(header, 16)
	header = append(header, "data"...)
	header = binary.LittleEndian.AppendUint32(header, uint32(size))
	if _, err := file.Write(header); err != nil {
		return err
	}
	_, err = io.Copy(file, io.NewSectionReader(raw, 0, size))
	return err
}
