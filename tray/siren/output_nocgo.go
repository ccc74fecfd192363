//go:build !cgo

package siren

import "errors"

// errSilent is what a build without C says. Such a build serves to check the
// code of other platforms; nobody should sleep on it.
var errSilent = errors.New("this build of Nightstand was made without C and cannot make any sound")

type noEngine struct{}

func newEngine() engine { return noEngine{} }

func (noEngine) open(string, func([]float32)) (stream, error) { return nil, errSilent }

func (noEngine) devices() ([]Device, error) { return nil, errSilent }
