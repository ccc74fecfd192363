package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"gopkg.in/natefinch/lumberjack.v2"

	"nightstand/app/config"
	"nightstand/app/control"
	"nightstand/app/home"
	"nightstand/app/network"
	"nightstand/app/secret"
	"nightstand/app/session"
	"nightstand/app/store"
	"nightstand/app/supervise"
	"nightstand/app/watch"
	"nightstand/tray"
	"nightstand/tray/notify"
	"nightstand/tray/siren"
)

// Options say how an agent is started.
type Options struct {
	Version string
	// NoTray leaves the icon out, as for a machine without a screen.
	NoTray bool
	// NoWindow opens no alarm window when a page rings.
	NoWindow bool
}

// RunningError says that this profile has its agent already.
type RunningError struct{}

func (RunningError) Error() string {
	return "Nightstand is running already for this profile. “nightstand status” shows it; “nightstand quit” ends it."
}

// ExitCode tells a supervisor not to try again.
func (RunningError) ExitCode() int { return supervise.Final }

// Run is the agent from its start to its end. It must be called on the main
// goroutine, where macOS wants its menu bar. What is missing on this machine
// (sound, bus, keyring, disk) is a signal in the status and no error; errors
// are only what leaves nothing to run.
func Run(ctx context.Context, options Options) error {
	heart := supervise.Listen()
	debug.SetMemoryLimit(memoryGoal)
	supervise.Frugal()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	places, lock, err := claim()
	if err != nil {
		return err
	}
	defer lock.Unlock()
	log, closeLog := openLog(places)
	defer closeLog()
	log.Info("agent starts", "version", options.Version, "pid", os.Getpid())
	noCoreDumps(log)

	settings, settingsSignal := loadSettings(places)
	_, noDatabase := os.Stat(places.Database)
	kept, storageSeen := openStore(ctx, places, log)
	if kept != nil {
		defer kept.Close()
	}
	accounts := NewAccounts(kept, secret.ForHome(places.Name()), settings, log, true)
	accounts.forgetDrill(ctx)

	var agent *Agent
	ring := siren.New(siren.Options{Device: settings.Sound.Device, Log: log.With("room", "siren"), Events: func(e siren.Event) { agent.heard(e) }})
	defer ring.Close()
	agent = New(ctx, Parts{
		Settings: settings, Store: kept, Accounts: accounts, Bell: bell{ring}, Heart: heart, Log: log, Version: options.Version,
		Signals: append(notYet(), settingsSignal, storageSeen),
	})

	if lostAccounts(kept, storageSeen, noDatabase) {
		agent.Observe(watch.AccountAdded{Name: accountsList})
		agent.Observe(watch.PollFailed{Account: accountsList, Sentence: storageSeen.Detail})
	}

	listener, door, err := control.Open(places.Socket, places.Address)
	if err != nil {
		return fmt.Errorf("the agent cannot listen for commands, so nothing could answer a page: %w", err)
	}
	go func() {
		if err := control.Serve(ctx, listener, door, agent); err != nil {
			log.Error("the control API ended", "error", err)
		}
	}()

	notifier := notify.New(notify.Options{
		Log:       log.With("room", "notify"),
		OnAction:  func(_, action string) { notePressed(agent, action) },
		OnDismiss: func(key string) { noteDismissed(agent, key) },
		Health: func(h notify.Health) {
			agent.Observe(watch.SignalSeen{Name: "notifications", State: advisory(h.Reason == notify.Working), Detail: phrase(h.Sentence)})
		},
	})
	defer notifier.Close()
	agent.AddFace(&noteFace{notifier: notifier, reserved: func() bool {
		return !settings.Alarm.TextWhenLocked && agent.desk.get().Lock == string(session.Locked)
	}})
	agent.AddFace(newWakeFace(log))
	go session.WatchLock(ctx, agent.lockSeen)
	if screenThere() && !options.NoWindow {
		agent.windows = newWindows(openWindow, agent.attendance.attends, func(s watch.SignalSeen) { agent.Observe(s) }, log.With("room", "windows"))
		agent.AddFace(agent.windows)
	}
	go repeat(ctx, 10*time.Second, func() { agent.lookAround(heart) })
	go agent.keepLookingForSound(ctx)
	go network.Watch(ctx, networkEvery, agent.lines.lookAnew)

	go repeat(ctx, leanEvery, func() {
		pause(ctx, settled)
		supervise.BecomeSmall()
	})

	ended := make(chan struct{})
	run := func() {
		defer close(ended)
		defer cancel()
		agent.Run(ctx)
	}
	go func() {
		select {
		case <-heart.StopAsked():
			agent.Quit()
		case <-ctx.Done():
		}
	}()
	if options.NoTray {
		agent.Observe(watch.SignalSeen{Name: "tray", State: watch.SignalWarning, Detail: "no icon is shown, as asked with --no-tray"})
		run()
		return nil
	}
	icon := tray.New(tray.Options{
		Actions: trayActions(agent, notifier), Log: log.With("room", "tray"),
		Health: func(h tray.Health) {
			agent.Observe(watch.SignalSeen{Name: "tray", State: advisory(h.Shown), Detail: phrase(h.Sentence)})
		},
	})
	agent.AddFace(trayFace{icon})
	go run()
	icon.Run(ctx)
	<-ended
	return nil
}

// networkEvery is how often this machine's addresses are looked at.
const networkEvery = 5 * time.Second

// memoryGoal is from where on memory is tidied up more eagerly: a storm of
// thousands of pages must not make a small process a large one.
const memoryGoal = 64 << 20

// The agent becomes small a while after its start, and stays so.
const (
	settled   = 15 * time.Second
	leanEvery = 2 * time.Minute
)

// claim makes this process the one agent of its profile. Where the profile
// cannot be written, the lock and the socket move to the temporary files; since
// that may change from one start to the next, an agent that answers at either
// place has the profile.
func claim() (home.Home, *flock.Flock, error) {
	places, err := home.Find()
	if err != nil {
		return places, nil, err
	}
	if _, err := Dial(); err == nil {
		return places, nil, RunningError{}
	}
	if err := places.Prepare(); err != nil {
		places = places.Temporary()
		if again := places.PrepareRun(); again != nil {
			return places, nil, fmt.Errorf("neither the profile nor the temporary files can be written, so the agent cannot start: %w", errors.Join(err, again))
		}
	}
	lock := flock.New(places.Lock)
	mine, err := lock.TryLock()
	if err != nil {
		return places, nil, fmt.Errorf("claim the profile: %w", err)
	}
	if !mine {
		return places, nil, RunningError{}
	}
	return places, lock, nil
}

// openLog writes to a file that is turned over at 5 MB, three old ones kept,
// and to standard error. It never holds a credential or the text of a page.
func openLog(places home.Home) (*slog.Logger, func()) {
	file := &lumberjack.Logger{Filename: places.Log, MaxSize: 5, MaxBackups: 3}
	handler := slog.NewMultiHandler(
		slog.NewJSONHandler(file, nil),
		slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}),
	)
	return slog.New(handler), func() { file.Close() }
}

func loadSettings(places home.Home) (config.Settings, watch.SignalSeen) {
	settings, err := config.Load(places.Settings)
	if err != nil {
		return settings, watch.SignalSeen{Name: watch.SignalSettings, State: watch.SignalFailed, Detail: err.Error()}
	}
	return settings, watch.SignalSeen{Name: watch.SignalSettings, State: watch.SignalOK, Detail: "understood"}
}

// openStore opens the database; without one the agent still rings for what it
// can see, and says that nothing is written down.
func openStore(ctx context.Context, places home.Home, log *slog.Logger) (*store.Store, watch.SignalSeen) {
	seen := watch.SignalSeen{Name: storageSignal, State: watch.SignalOK, Detail: "what happens tonight is written down"}
	kept, err := store.Open(ctx, places.Database)
	var damaged *store.DamagedError
	switch {
	case err == nil:
		return kept, seen
	case errors.As(err, &damaged):
		log.Error("the database was damaged", "error", err)
		seen.State = watch.SignalWarning
		seen.Detail = "the database was damaged and a new one was begun; the old one is kept as " + damaged.MovedTo + ". Accounts have to be added again"
		return kept, seen
	}
	log.Error("the database cannot be opened", "error", err)
	seen.State = watch.SignalFailed
	if kept, readErr := store.OpenToRead(ctx, places.Database); readErr == nil {
		seen.Detail = "the database can be read but not written: " + store.Why(err) + ". Pages ring, but nothing of tonight is kept"
		return kept, seen
	}
	seen.Detail = "the database cannot be opened: " + store.Why(err) + ". So the accounts are not known and nothing is kept. Make room on the disk or mend its permissions, then start Nightstand again"
	return nil, seen
}

// accountsList stands in for the accounts while nobody knows which there are.
// It can never be seen, so the night rings blind instead of being silent.
const accountsList = "the list of accounts"

// lostAccounts says that there was a database and its accounts are not known.
func lostAccounts(kept *store.Store, seen watch.SignalSeen, noDatabase error) bool {
	damaged := seen.State == watch.SignalWarning
	return noDatabase == nil && (damaged || kept == nil)
}

// notYet are the required signals this version cannot prove; they keep the
// light from saying armed.
func notYet() []watch.SignalSeen {
	return []watch.SignalSeen{
		{Name: watch.SignalSound, State: watch.SignalUnknown, Detail: soundNotProved},
		{Name: watch.SignalMute, State: watch.SignalUnknown, Detail: "this version does not look whether the speaker is muted; look yourself before you sleep"},
		{Name: watch.SignalStayAwake, State: watch.SignalUnknown, Detail: "this version does not keep the machine awake; switch automatic sleep off for the night"},
	}
}

const soundNotProved = "sound not proved: this version rings, but cannot yet check that it came out of the speaker"

// How often the outputs are listed: seldom while there are some, because it
// costs power, and often while there are none.
const (
	soundEvery = 5 * time.Minute
	soundSoon  = 10 * time.Second
)

func (a *Agent) keepLookingForSound(ctx context.Context) {
	for ctx.Err() == nil {
		if a.lookForSound() {
			pause(ctx, soundEvery)
		} else {
			pause(ctx, soundSoon)
		}
	}
}

// lookForSound says whether there is anything to ring on.
func (a *Agent) lookForSound() bool {
	devices, err := listOutputs()
	seen := watch.SignalSeen{Name: watch.SignalSound, State: watch.SignalUnknown, Detail: soundNotProved}
	_, _, trouble := a.parts.Bell.Sounding()
	switch {
	case err != nil:
		seen.State, seen.Detail = watch.SignalFailed, phrase(err.Error())
	case len(devices) == 0:
		seen.State, seen.Detail = watch.SignalFailed, "this machine has no sound output now, so no alarm would be heard; connect one or log in to the desktop's sound"
	case trouble != "":
		seen.State, seen.Detail = watch.SignalFailed, phrase(trouble)
	}
	a.Observe(seen)
	return seen.State != watch.SignalFailed
}

// listOutputs lists the sound outputs, within three seconds: a sound server
// that hangs must not hold anything up.
func listOutputs() ([]siren.Device, error) {
	type listing struct {
		devices []siren.Device
		err     error
	}
	done := make(chan listing, 1)
	go func() {
		devices, err := siren.Devices()
		done <- listing{devices, err}
	}()
	select {
	case l := <-done:
		return l.devices, l.err
	case <-time.After(3 * time.Second):
		return nil, errors.New("the sound system does not answer, so an alarm may not be heard; restart it")
	}
}

// heard takes in what the siren did.
func (a *Agent) heard(e siren.Event) {
	now := *a.state.Load()
	page, epoch := now.Alarm.PageID, 0
	for _, p := range now.Pages {
		if p.ID == page {
			epoch = p.Epoch
		}
	}
	switch e.Kind {
	case siren.NoDevice, siren.DeviceLost:
		a.Observe(watch.SignalSeen{Name: watch.SignalSound, State: watch.SignalFailed, Detail: phrase(e.Sentence)})
	case siren.Playing, siren.DeviceChanged:
		a.Observe(watch.SignalSeen{Name: watch.SignalSound, State: watch.SignalUnknown, Detail: soundNotProved})
	}
	if e.Kind != siren.Quiet {
		a.recorder.put(watch.Write{PageID: page, Epoch: epoch, At: e.At, Kind: watch.Kind("siren_" + strings.ReplaceAll(string(e.Kind), "-", "_")), Text: e.Sentence})
	}
}

// lookAround says what this session offers and who would restart us.
func (a *Agent) lookAround(heart *supervise.Heart) {
	a.lookAtCredentials() // one may have come close to its end
	guardian := heart.Guardian()
	a.Observe(watch.SignalSeen{Name: "supervisor", State: advisory(guardian.Safe()), Detail: phrase(guardian.Sentence)})
	if runtime.GOOS != "linux" {
		return
	}
	display := screenThere()
	a.Observe(watch.SignalSeen{Name: "display", State: advisory(display), Detail: choose(display, "there is a screen", "there is no screen in this session; the siren and the command line work without")})
	bus := busThere()
	a.Observe(watch.SignalSeen{Name: "desktop_bus", State: advisory(bus), Detail: choose(bus, "answers", "this session has no desktop bus, so there are no notifications, no tray icon and no keyring; the siren and the command line work without")})
}

func advisory(well bool) watch.SignalState {
	if well {
		return watch.SignalOK
	}
	return watch.SignalWarning
}

func choose(well bool, yes, no string) string {
	if well {
		return yes
	}
	return no
}

// phrase lets a sentence stand behind a name and a colon.
func phrase(sentence string) string { return strings.TrimSuffix(sentence, ".") }
