package app

import (
	"nightstand/app/session"
)

// examineDesktop looks at the screen, the bus and what listens on it.
func examineDesktop() []Finding {
	bus, err := session.Dial()
	if err != nil {
		return []Finding{examineScreen(),
			{Name: "desktop bus", State: findingWarning, Detail: "this session has no desktop bus, so there are no notifications, no tray icon and no keyring", Fix: "run “nightstand doctor” inside the desktop to look there; the siren and the command line work without"},
		}
	}
	defer bus.Close()
	notifications := Finding{Name: "notifications", State: findingWarning, Detail: "nothing on this desktop shows notifications", Fix: "start a notification daemon such as dunst; the siren rings all the same"}
	if session.Owner(bus, "org.freedesktop.Notifications") != "" {
		notifications = Finding{Name: "notifications", State: findingOK, Detail: "shown by this desktop"}
	}
	host := Finding{Name: "tray", State: findingWarning, Detail: "this desktop has no place for tray icons (stock GNOME has none)", Fix: "install the AppIndicator extension, or use “nightstand status”"}
	if session.Owner(bus, "org.kde.StatusNotifierWatcher") != "" {
		host = Finding{Name: "tray", State: findingOK, Detail: "this desktop shows tray icons"}
	}
	return []Finding{examineScreen(), {Name: "desktop bus", State: findingOK, Detail: "answers"}, notifications, host}
}
