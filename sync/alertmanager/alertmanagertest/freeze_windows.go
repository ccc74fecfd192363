package alertmanagertest

func (s *Server) freeze(bool) {
	s.tb.Helper()
	s.tb.Fatal("a process cannot be paused by a signal on Windows")
}
