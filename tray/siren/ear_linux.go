package siren

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/jfreymuth/pulse/proto"
)

const (
	fragment  = 20 * time.Millisecond // how much sound the server collects before it hands it on
	fullScale = 0x10000               // a volume of 100 %
)

// attend listens at the monitor of every output of the sound server: that of
// PulseAudio, as which PipeWire answers too. It asks at once how the outputs
// stand when the server tells of a change, and twice a second whether the
// server is still there, because an output that brings no sound may just be
// idle.
func (e *Ear) attend(begun chan<- error) {
	server := &soundServer{ear: e, told: make(chan struct{}, 1), taps: make(map[uint32]*tap), recording: make(map[string]uint32)}
	if err := server.reach(e.life); err != nil {
		begun <- err
		return
	}
	defer server.leave()
	err := server.look()
	begun <- err
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for err == nil {
		select {
		case <-e.life.Done():
			return
		case <-server.told:
		case <-tick.C:
		}
		err = server.look()
	}
	e.lose(err)
}

// soundServer is the sound server as the ear uses it. The maps are shared with
// the goroutine that reads what the server sends.
type soundServer struct {
	ear    *Ear
	client *proto.Client
	leave  func()
	told   chan struct{} // the server told that something changed

	mu        sync.Mutex
	taps      map[uint32]*tap   // by the number of the recording
	recording map[string]uint32 // its number, by output
	sound     []float32
}

// look learns how everything stands and listens where nobody listens yet.
func (s *soundServer) look() error {
	var about proto.GetServerInfoReply
	var sinks proto.GetSinkInfoListReply
	var sources proto.GetSourceInfoListReply
	var streams proto.GetSinkInputInfoListReply
	for _, question := range []struct {
		request proto.RequestArgs
		answer  proto.Reply
	}{
		{&proto.GetServerInfo{}, &about}, {&proto.GetSinkInfoList{}, &sinks},
		{&proto.GetSourceInfoList{}, &sources}, {&proto.GetSinkInputInfoList{}, &streams},
	} {
		if err := s.ask(question.request, question.answer); err != nil {
			return err
		}
	}
	doubts := make(map[uint32]string)
	for _, source := range sources {
		if source.Mute {
			doubts[source.SourceIndex] = "its monitor, which stands among the inputs in the sound settings, is muted"
		}
	}
	var outlets []outlet
	names := make(map[uint32]string)
	monitors := make(map[string]uint32)
	for _, sink := range sinks {
		if sink.SinkName == "auto_null" {
			continue // what the server offers when there is no output
		}
		names[sink.SinkIndex], monitors[sink.SinkName] = sink.SinkName, sink.MonitorSourceIndex
		outlets = append(outlets, outlet{
			Device: Device{ID: sink.SinkName, Name: sink.Device, Default: sink.SinkName == about.DefaultSinkName},
			muted:  sink.Mute,
			volume: loudestChannel(sink.ChannelVolumes),
			doubt:  doubts[sink.MonitorSourceIndex],
		})
	}
	var ours *player
	for _, stream := range streams {
		if stream.MediaName == streamName && stream.Properties["application.name"].String() == programName {
			ours = &player{on: names[stream.SinkIndex], muted: stream.Muted, volume: loudestChannel(stream.ChannelVolumes)}
		}
	}
	s.ear.stands(outlets, ours)
	return s.record(monitors)
}

func loudestChannel(volumes proto.ChannelVolumes) float64 {
	var loudest uint32
	for _, volume := range volumes {
		loudest = max(loudest, volume)
	}
	return float64(loudest) / fullScale
}

// record opens a recording of each monitor that has none and forgets those of
// outputs that are gone; the server has ended them.
func (s *soundServer) record(monitors map[string]uint32) error {
	s.mu.Lock()
	for id, number := range s.recording {
		if _, there := monitors[id]; !there {
			delete(s.taps, number)
			delete(s.recording, id)
		}
	}
	missing := make(map[string]uint32)
	for id, monitor := range monitors {
		if _, there := s.recording[id]; !there {
			missing[id] = monitor
		}
	}
	s.mu.Unlock()

	for id, monitor := range missing {
		var opened proto.CreateRecordStreamReply
		err := s.ask(&proto.CreateRecordStream{
			SampleSpec:         proto.SampleSpec{Format: proto.FormatFloat32LE, Channels: 1, Rate: Rate},
			ChannelMap:         proto.ChannelMap{proto.ChannelMono},
			SourceIndex:        monitor,
			BufferMaxLength:    proto.Undefined,
			BufferFragSize:     uint32(samples(fragment) * 4),
			AdjustLatency:      true,
			DirectOnInputIndex: proto.Undefined,
			Properties:         proto.PropList{"media.name": proto.PropListString("Listening for the alarm of a drill")},
			// An output that sleeps shall not wake because we listen. (PipeWire
			// 0.3 wakes it all the same.)
			DontInhibitAutoSuspend: true,
			// When an output goes, its recorders would be moved to another
			// source, and that is likely a microphone.
			NoMove: true,
			// Servers remember what somebody once set for streams of our name.
			ChannelVolumes: proto.ChannelVolumes{fullScale}, VolumeSet: true, MutedSet: true,
		}, &opened)
		var refused proto.Error
		if errors.As(err, &refused) {
			continue // the output has just gone, or it is tried again at the next look
		}
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.taps[opened.StreamIndex] = &tap{ear: s.ear, id: id}
		s.recording[id] = opened.StreamIndex
		s.mu.Unlock()
	}
	return nil
}

// ask waits for an answer, at most the patience that the client was given.
func (s *soundServer) ask(request proto.RequestArgs, answer proto.Reply) error {
	err := s.client.Request(request, answer)
	var refused proto.Error
	switch {
	case err == nil || errors.As(err, &refused):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return errEarHangs
	}
	return errEarLost
}

// take gets everything that the server sends unasked, on the goroutine that
// reads, which must not ask anything itself.
func (s *soundServer) take(message any) {
	now := time.Now()
	switch m := message.(type) {
	case *proto.DataPacket:
		s.mu.Lock()
		tap := s.taps[m.StreamIndex]
		s.mu.Unlock()
		if tap == nil {
			return
		}
		s.sound = s.sound[:0]
		for at := 0; at+4 <= len(m.Data); at += 4 {
			s.sound = append(s.sound, math.Float32frombits(binary.LittleEndian.Uint32(m.Data[at:])))
		}
		tap.take(s.sound, now)
		return
	case *proto.RecordStreamKilled:
		s.mu.Lock()
		if tap := s.taps[m.StreamIndex]; tap != nil {
			delete(s.recording, tap.id)
			delete(s.taps, m.StreamIndex)
		}
		s.mu.Unlock()
	}
	select {
	case s.told <- struct{}{}:
	default: // it will look anyway
	}
}
