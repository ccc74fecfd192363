//go:build cgo

package siren

import (
	"path/filepath"
	"runtime"
	"strings"
	"unsafe"

	"github.com/gen2brain/malgo"
)

// period is how much sound the sound system holds. Small enough to be quiet
// and to be heard at once, large enough to ride out a busy machine.
const (
	period  = 40 // milliseconds
	periods = 3
)

// backends are the sound systems of this platform, each tried by itself: with
// a list, miniaudio takes the first that loads even when it has no output.
func backends() []malgo.Backend {
	switch runtime.GOOS {
	case "windows":
		return []malgo.Backend{malgo.BackendWasapi}
	case "darwin":
		return []malgo.Backend{malgo.BackendCoreaudio}
	}
	// PipeWire answers as PulseAudio. ALSA and JACK are asked only where they
	// have something to offer: they complain on standard error otherwise, with
	// every attempt.
	systems := []malgo.Backend{malgo.BackendPulseaudio}
	if exists("/dev/snd/pcmC*p") {
		systems = append(systems, malgo.BackendAlsa)
	}
	if exists("/dev/shm/jack_*_*_*") || exists("/dev/shm/jack-[0-9]*/*/*") {
		systems = append(systems, malgo.BackendJack)
	}
	return systems
}

func exists(pattern string) bool {
	found, _ := filepath.Glob(pattern)
	return len(found) > 0
}

// miniaudio is the engine that sounds on real devices.
type miniaudio struct{}

func newEngine() engine { return miniaudio{} }

// open tries the sound systems in turn; the reason of the first that refused
// is the one told, because that is the one people have.
func (miniaudio) open(device string, fill func([]float32)) (stream, error) {
	var first error
	for _, backend := range backends() {
		opened, err := openOn(backend, device, fill)
		if err == nil {
			return opened, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func openOn(backend malgo.Backend, device string, fill func([]float32)) (stream, error) {
	context, err := connect(backend)
	if err != nil {
		return nil, err
	}
	release := func() {
		_ = context.Uninit()
		context.Free()
	}

	config := malgo.DefaultDeviceConfig(malgo.Playback)
	config.SampleRate = Rate
	config.Playback.Format = malgo.FormatF32
	config.Playback.Channels = 1
	config.PeriodSizeInMilliseconds = period
	config.Periods = periods
	config.NoFixedSizedCallback = 1 // no second buffer on the way
	config.Pulse.StreamNamePlayback = streamName
	if device != "" {
		id, err := find(context, device)
		if err != nil {
			release()
			return nil, err
		}
		var pinned runtime.Pinner
		pinned.Pin(&id)
		defer pinned.Unpin()
		config.Playback.DeviceID = unsafe.Pointer(&id)
	}

	output, err := malgo.InitDevice(context.Context, config, malgo.DeviceCallbacks{
		Data: func(out, _ []byte, frames uint32) {
			if frames > 0 && len(out) > 0 {
				fill(unsafe.Slice((*float32)(unsafe.Pointer(&out[0])), frames))
			}
		},
	})
	if err != nil {
		release()
		return nil, err
	}
	opened := &miniaudioStream{context, output}
	if err := output.Start(); err != nil {
		opened.close()
		return nil, err
	}
	return opened, nil
}

// connect reaches one sound system under our name, which people see in their
// mixer.
func connect(backend malgo.Backend) (*malgo.AllocatedContext, error) {
	name := []byte(programName + "\x00")
	var pinned runtime.Pinner
	pinned.Pin(&name[0])
	defer pinned.Unpin()
	var config malgo.ContextConfig
	config.Pulse.PApplicationName = &name[0]
	config.Jack.PClientName = &name[0]
	return malgo.InitContext([]malgo.Backend{backend}, config, nil)
}

// find gives the device that answers to the name.
func find(context *malgo.AllocatedContext, name string) (malgo.DeviceID, error) {
	infos, err := context.Devices(malgo.Playback)
	if err != nil {
		return malgo.DeviceID{}, err
	}
	for _, info := range infos {
		if described(info).is(name) {
			return info.ID, nil
		}
	}
	return malgo.DeviceID{}, errAbsent
}

// devices lists the outputs of the first sound system that has any.
func (miniaudio) devices() ([]Device, error) {
	var first error
	for _, backend := range backends() {
		context, err := connect(backend)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		infos, err := context.Devices(malgo.Playback)
		_ = context.Uninit()
		context.Free()
		var found []Device
		for _, info := range infos {
			if d := described(info); audible(backend, d) {
				found = append(found, d)
			}
		}
		if len(found) > 0 {
			return found, nil
		}
		if first == nil {
			first = err
		}
	}
	if first != nil {
		return nil, unreachable{first}
	}
	return nil, nil
}

// unreachable says that no sound system could be connected to.
type unreachable struct{ cause error }

func (unreachable) Error() string {
	return "the sound system of this machine cannot be reached, so no alarm would be heard; restart it, or log in to the desktop whose sound is to be used"
}

func (u unreachable) Unwrap() error { return u.cause }

// audible leaves out what throws every sound away, and ALSA's filters, which
// it lists beside the cards.
func audible(backend malgo.Backend, d Device) bool {
	switch backend {
	case malgo.BackendPulseaudio:
		return d.ID != "auto_null" // what it offers when there is no other
	case malgo.BackendAlsa:
		return d.ID == "default" || strings.HasPrefix(d.ID, ":")
	}
	return true
}

func described(info malgo.DeviceInfo) Device {
	id := info.ID.String()
	// PulseAudio and ALSA name devices in plain letters.
	if text, _, ended := strings.Cut(string(info.ID[:]), "\x00"); ended && printable(text) && len(text) > 1 {
		id = text
	}
	return Device{ID: id, Name: info.Name(), Default: info.IsDefault != 0}
}

func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

type miniaudioStream struct {
	context *malgo.AllocatedContext
	output  *malgo.Device
}

// close stops first: giving a device back that was not stopped hangs.
func (s *miniaudioStream) close() {
	_ = s.output.Stop()
	s.output.Uninit()
	_ = s.context.Uninit()
	s.context.Free()
}
