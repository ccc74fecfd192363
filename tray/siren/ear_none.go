//go:build !linux && !(windows && cgo)

package siren

// attend cannot listen: macOS lets no program hear what another plays, short of
// a driver that people would have to install, and the sound engine needs C.
func (e *Ear) attend(begun chan<- error) { begun <- ErrCannotListen }
