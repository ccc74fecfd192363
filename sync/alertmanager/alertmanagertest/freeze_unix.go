//go:build !windows

package alertmanagertest

import "syscall"

func (s *Server) freeze(still bool) {
	s.tb.Helper()
	signal := syscall.SIGCONT
	if still {
		signal = syscall.SIGSTOP
	}
	if err := s.process.Process.Signal(signal); err != nil {
		s.tb.Fatalf("cannot pause or resume the Alertmanager: %v", err)
	}
}
