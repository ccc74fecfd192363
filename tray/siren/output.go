package siren

import (
	"errors"
	"sync/atomic"
	"time"
)

// How our stream is called where people see it: in their mixer.
const (
	programName = "Nightstand"
	streamName  = "Alarm"
)

// Device is a sound output of this machine.
type Device struct {
	// ID is the sound system's own name for it.
	ID string `json:"id"`
	// Name is what people call it; either serves in Options.Device.
	Name string `json:"name"`
	// Default says that sound goes here when nothing is chosen.
	Default bool `json:"default"`
}

// is says whether the device answers to what somebody chose.
func (d Device) is(chosen string) bool { return chosen == d.Name || chosen == d.ID }

// engine is the sound system as the siren needs it. Every call may take for
// ever when a sound server hangs, so each is made on a goroutine of its own.
type engine interface {
	// open starts a stream on the device of that name or ID, "" for the
	// default one. From then on fill is asked for samples by an audio thread.
	open(device string, fill func([]float32)) (stream, error)
	// devices lists the outputs that can be heard.
	devices() ([]Device, error)
}

// stream is an open output.
type stream interface {
	// close stops and gives back everything. It may hang.
	close()
}

// errAbsent is the answer to a chosen device that is not there.
var errAbsent = errors.New("the chosen sound output is not there")

// intake watches one stream from the side: how far the samples it was given
// reach. A lost device is told by nothing else; sound systems keep saying that
// all is well.
type intake struct {
	began   time.Time
	reach   atomic.Int64 // nanoseconds since began: until when the samples last
	first   atomic.Int64 // nanoseconds since began: when samples were first asked for
	depth   atomic.Int64 // nanoseconds of sound the sound system can hold, as far as it has shown
	steady  atomic.Bool  // the sound system has asked for more than its first fill
	retired atomic.Bool  // the stream was given up and gets only zeros from now on
}

// fed notes that n samples were handed out now. Samples are the clock, not
// calls: a sound system may ask rarely and much, or often and little. It never
// holds more than it once took at a time, so that a device whose clock is a
// little fast does not seem to have hours in store after a night.
func (i *intake) fed(n int) {
	now := max(int64(time.Since(i.began)), 1)
	taken := int64(n) * int64(time.Second) / Rate
	i.first.CompareAndSwap(0, now)
	if now-i.first.Load() <= int64(firstFill) {
		i.depth.Add(taken)
	} else {
		i.depth.Store(max(i.depth.Load(), taken))
		i.steady.Store(true)
	}
	i.reach.Store(min(max(i.reach.Load(), now)+taken, now+i.depth.Load()))
}

// ahead is how much sound the sound system still holds. It is negative when it
// has asked for nothing since it ran out, for that long.
func (i *intake) ahead() time.Duration {
	return time.Duration(i.reach.Load()) - time.Since(i.began)
}

// lost tells whether the device must be given up: it has taken nothing for
// 300 ms. Before it has got going it may take longer: a sound server that slept
// has up to two seconds of silence under way, which it does not call back.
func (i *intake) lost() bool {
	if i.steady.Load() {
		return i.ahead() < -lossAfter
	}
	return i.ahead() < -wakeAfter
}
