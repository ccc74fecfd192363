//go:build unix && !darwin

package secret

import (
	"github.com/godbus/dbus/v5"

	"nightstand/app/session"
)

const secretService = "org.freedesktop.secrets"

// ready looks whether the Secret Service is there and open before go-keyring
// is let at it: go-keyring waits for ever on a locked collection, and starts a
// prompter and even a bus where there is none.
func ready() error {
	bus, err := session.Dial()
	if err != nil {
		return ErrAbsent
	}
	defer bus.Close()
	if session.Owner(bus, secretService) == "" {
		return ErrAbsent
	}
	var collection dbus.ObjectPath
	service := bus.Object(secretService, "/org/freedesktop/secrets")
	for _, alias := range []string{"login", "default"} {
		if err := session.Call(service, false, "org.freedesktop.Secret.Service.ReadAlias", []any{alias}, &collection); err != nil {
			return ErrLocked // it is there and does not answer
		}
		if collection != "/" {
			break
		}
	}
	if collection == "/" {
		return ErrAbsent
	}
	locked, err := session.Property(bus.Object(secretService, collection), "org.freedesktop.Secret.Collection", "Locked")
	if is, ok := locked.Value().(bool); err != nil || !ok || is {
		return ErrLocked
	}
	return session.Publish()
}
