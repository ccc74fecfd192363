// Package endtoend holds the tests that see, hear and click like a person, and
// the private desktop they do it on. Nothing of the product imports it.
//
// A test starts a desktop with Start, runs the product in it with
// Desktop.Run, and looks at it through four senses: Desktop.Listen hears what
// leaves the speaker, Desktop.Notifications sees what the notification daemon
// is told, Desktop.Tray reads and clicks the tray item, and
// Desktop.Screenshot keeps a picture for a person to judge. Every part of the
// desktop can be left out, as it is missing for somebody.
//
// The product itself is a Nightstand: Install puts it on a desktop, and then it
// is started, asked and answered through its command line alone. It is built
// once a run; NIGHTSTAND_BINARY names one that is built already.
//
// Where a program of the rig is not installed, the tests are skipped with the
// reason; with NIGHTSTAND_RIG=1 that is a failure. The Windows build is run under
// Wine where there is one, and with NIGHTSTAND_WINE=1 there must be;
// NIGHTSTAND_EXE names a build that is there already. With NIGHTSTAND_SHOTS=DIR
// the screenshots, and the recordings of failed tests, are kept in DIR.
package endtoend
