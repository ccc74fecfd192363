//go:build unix && !darwin

package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

// lookAgain is how long an answer stands, and how long it takes to look for a
// bus again. Changes are told by signals; this is for the one that was missed.
var lookAgain = 10 * time.Second

// lockPatience is how long joining a bus may take, and then an answer.
const lockPatience = 2 * time.Second

func witnesses() []witness {
	return []witness{
		logind.watch,
		screenSaver("org.freedesktop.ScreenSaver").watch,
		screenSaver("org.gnome.ScreenSaver").watch,
	}
}

// busWitness is a program on a bus that knows whether the session is locked.
type busWitness struct {
	address func() string // of the bus; empty without one
	name    string        // of the program on it
	// signals are those after which it is asked again. What they say is left
	// alone: an answer is as new as a signal, and is never missed.
	signals [][]dbus.MatchOption
	ask     func(context.Context, *dbus.Conn) (locked bool, err error)
}

// watch follows the program, through the end and the return of its bus, until
// the context ends.
func (w busWitness) watch(ctx context.Context, say func(Lock)) {
	for ctx.Err() == nil {
		w.listen(ctx, say)
		say(LockUnknown)
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
		}
	}
}

// listen follows the program for as long as the bus lives.
func (w busWitness) listen(ctx context.Context, say func(Lock)) {
	connection, signals, err := w.join(ctx)
	if err != nil {
		return
	}
	defer connection.Close()
	for {
		say(w.look(ctx, connection))
		select {
		case _, open := <-signals:
			if !open {
				return // the bus has gone
			}
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return
		}
	}
}

// join opens a connection that is told when it is time to look again.
func (w busWitness) join(ctx context.Context) (*dbus.Conn, <-chan *dbus.Signal, error) {
	ctx, end := context.WithTimeout(ctx, lockPatience)
	defer end()
	connection, err := join(ctx, w.address())
	if err != nil {
		return nil, nil, err
	}
	signals := make(chan *dbus.Signal, 16)
	connection.Signal(signals)
	comesOrGoes := []dbus.MatchOption{
		dbus.WithMatchSender("org.freedesktop.DBus"),
		dbus.WithMatchMember("NameOwnerChanged"),
		dbus.WithMatchArg(0, w.name),
	}
	for _, match := range slices.Concat(w.signals, [][]dbus.MatchOption{comesOrGoes}) {
		if err := connection.AddMatchSignalContext(ctx, match...); err != nil {
			connection.Close()
			return nil, nil, err
		}
	}
	return connection, signals, nil
}

// look asks the program, if it runs.
func (w busWitness) look(ctx context.Context, connection *dbus.Conn) Lock {
	ctx, end := context.WithTimeout(ctx, lockPatience)
	defer end()
	if err := runs(ctx, connection, w.name); err != nil {
		return LockUnknown
	}
	locked, err := w.ask(ctx, connection)
	switch {
	case err != nil:
		return LockUnknown
	case locked:
		return Locked
	default:
		return Unlocked
	}
}

// screenSaver is a program of the desktop that darkens the screen and locks it.
// Its object is called as it is itself.
func screenSaver(name string) busWitness {
	return busWitness{
		address: Address,
		name:    name,
		signals: [][]dbus.MatchOption{{
			dbus.WithMatchSender(name),
			dbus.WithMatchInterface(name),
			dbus.WithMatchMember("ActiveChanged"),
		}},
		ask: func(ctx context.Context, connection *dbus.Conn) (active bool, err error) {
			err = call(ctx, connection.Object(name, pathOf(name)), name+".GetActive", nil, &active)
			return active, err
		},
	}
}

var errRunsNot = errors.New("nobody on the bus has this name")

// runs returns nil if somebody on the bus has the name.
func runs(ctx context.Context, connection *dbus.Conn, name string) error {
	var owned bool
	if err := call(ctx, connection.BusObject(), "org.freedesktop.DBus.NameHasOwner", []any{name}, &owned); err != nil {
		return err
	}
	if !owned {
		return errRunsNot
	}
	return nil
}

// call asks a method of an object, until the context ends, and starts nobody.
func call(ctx context.Context, object dbus.BusObject, method string, arguments []any, results ...any) error {
	return object.CallWithContext(ctx, method, dbus.FlagNoAutoStart, arguments...).Store(results...)
}
