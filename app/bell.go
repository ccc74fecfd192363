package app

import (
	"nightstand/app/watch"
	"nightstand/tray/siren"
)

// bell gives the siren the words of the core.
type bell struct{ *siren.Siren }

var patterns = map[watch.Pattern]siren.Pattern{
	watch.Silent: siren.Silent, watch.Critical: siren.Critical, watch.Degraded: siren.Degraded,
	watch.Minor: siren.Minor, watch.Blind: siren.Blind,
}

var tones = map[watch.Ending]siren.Tone{
	watch.EndedHere: siren.AckConfirmed, watch.EndedElsewhere: siren.AckElsewhere, watch.EndedTaken: siren.Taken,
	watch.EndedResolved: siren.Resolved, watch.EndedReassigned: siren.Reassigned, watch.EndedForgotten: siren.Forgotten,
	watch.EndedMuted: siren.Taken, watch.EndedSight: siren.Resolved,
}

// Ring asks for this sound from now on.
func (b bell) Ring(alarm watch.Alarm) {
	b.Sound(siren.Alarm{Pattern: patterns[alarm.Pattern], Step: alarm.Step, Sparse: alarm.Sparse})
}

// Tone plays the short tone of an ending; what has none of its own is a
// gentle notice.
func (b bell) Tone(ending watch.Ending) {
	tone, has := tones[ending]
	if !has {
		tone = siren.Gentle
	}
	b.Play(tone)
}

// Sounding says whether an output takes the alarm.
func (b bell) Sounding() (sounding bool, device, trouble string) {
	state := b.State()
	return state.Sounding, state.Device, state.Trouble
}
