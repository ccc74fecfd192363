//go:build cgo

package siren

/*
#cgo LDFLAGS: -lole32
#define COBJMACROS
#include <initguid.h>
#include <windows.h>
#include <mmdeviceapi.h>
#include <endpointvolume.h>

// endpoint reads the mute switch and the volume (0 to 1) of an output.
static HRESULT endpoint(const wchar_t *id, int *muted, float *volume) {
	IMMDeviceEnumerator *all = NULL;
	IMMDevice *output = NULL;
	IAudioEndpointVolume *control = NULL;
	BOOL mute = FALSE;
	HRESULT begun = CoInitializeEx(NULL, COINIT_MULTITHREADED);
	HRESULT result = CoCreateInstance(&CLSID_MMDeviceEnumerator, NULL, CLSCTX_ALL, &IID_IMMDeviceEnumerator, (void **)&all);
	if (SUCCEEDED(result)) result = IMMDeviceEnumerator_GetDevice(all, id, &output);
	if (SUCCEEDED(result)) result = IMMDevice_Activate(output, &IID_IAudioEndpointVolume, CLSCTX_ALL, NULL, (void **)&control);
	if (SUCCEEDED(result)) result = IAudioEndpointVolume_GetMute(control, &mute);
	if (SUCCEEDED(result)) result = IAudioEndpointVolume_GetMasterVolumeLevelScalar(control, volume);
	*muted = mute;
	if (control != NULL) IAudioEndpointVolume_Release(control);
	if (output != NULL) IMMDevice_Release(output);
	if (all != NULL) IMMDeviceEnumerator_Release(all);
	if (SUCCEEDED(begun)) CoUninitialize();
	return result;
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"github.com/gen2brain/malgo"
)

// attend listens at every output by what Windows calls a loopback, which
// carries what programs play there, before the output's own mute and volume.
// These are asked for twice a second.
//
// This has been compiled, and never been run on a Windows machine: who touches
// it should not take it for tried.
func (e *Ear) attend(begun chan<- error) {
	// What hangs in here, hangs for good; whoever waits is told.
	patience := time.AfterFunc(listenPatience, func() { e.lose(errEarHangs) })
	defer patience.Stop()
	context, err := connect(malgo.BackendWasapi)
	if err != nil {
		begun <- fmt.Errorf("%w (%w)", ErrCannotListen, err)
		return
	}
	windows := &loopbacks{ear: e, context: context, open: make(map[string]*malgo.Device)}
	defer windows.leave()
	err = windows.look()
	begun <- err
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for err == nil {
		patience.Reset(pingEvery + listenPatience)
		select {
		case <-e.life.Done():
			return
		case <-tick.C:
		}
		err = windows.look()
	}
	e.lose(errEarLost)
}

// loopbacks are the open ones, by output.
type loopbacks struct {
	ear     *Ear
	context *malgo.AllocatedContext
	open    map[string]*malgo.Device
}

// look learns how the outputs stand, opens a loopback of each that has none and
// closes those of outputs that are gone.
func (l *loopbacks) look() error {
	infos, err := l.context.Devices(malgo.Playback)
	if err != nil {
		return err
	}
	var outlets []outlet
	present := make(map[string]malgo.DeviceID)
	for _, info := range infos {
		d := described(info)
		present[d.ID] = info.ID
		outlets = append(outlets, standing(d, info.ID))
	}
	l.ear.stands(outlets, nil)
	for id, device := range l.open {
		if _, there := present[id]; !there {
			l.close(device)
			delete(l.open, id)
		}
	}
	for id, number := range present {
		if _, open := l.open[id]; !open {
			if device, err := l.listen(id, number); err == nil {
				l.open[id] = device // or it is tried again at the next look
			}
		}
	}
	return nil
}

// standing asks for mute and volume.
func standing(d Device, id malgo.DeviceID) outlet {
	var muted C.int
	var volume C.float
	if result := C.endpoint((*C.wchar_t)(unsafe.Pointer(&id[0])), &muted, &volume); result < 0 {
		return outlet{Device: d, volume: 1, doubt: "Windows does not tell whether it is muted"}
	}
	return outlet{Device: d, muted: muted != 0, volume: float64(volume)}
}

// listen opens the loopback of one output.
func (l *loopbacks) listen(id string, number malgo.DeviceID) (*malgo.Device, error) {
	config := malgo.DefaultDeviceConfig(malgo.Loopback)
	config.SampleRate = Rate
	config.Capture.Format = malgo.FormatF32
	config.Capture.Channels = 1
	config.PeriodSizeInMilliseconds = 20
	var pinned runtime.Pinner
	pinned.Pin(&number)
	defer pinned.Unpin()
	config.Capture.DeviceID = unsafe.Pointer(&number)

	tap := &tap{ear: l.ear, id: id}
	var sound []float32
	device, err := malgo.InitDevice(l.context.Context, config, malgo.DeviceCallbacks{
		Data: func(_, in []byte, frames uint32) {
			if frames > 0 && len(in) > 0 {
				sound = append(sound[:0], unsafe.Slice((*float32)(unsafe.Pointer(&in[0])), frames)...)
				tap.take(sound, time.Now())
			}
		},
	})
	if err != nil {
		return nil, err
	}
	if err := device.Start(); err != nil {
		l.close(device)
		return nil, err
	}
	return device, nil
}

// close stops first: giving a device back that was not stopped hangs.
func (l *loopbacks) close(device *malgo.Device) {
	_ = device.Stop()
	device.Uninit()
}

func (l *loopbacks) leave() {
	for _, device := range l.open {
		l.close(device)
	}
	_ = l.context.Uninit()
	l.context.Free()
}
