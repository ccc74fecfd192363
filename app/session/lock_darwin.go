package session

// witnesses is empty: what macOS tells of the lock, it tells to programs built
// with its own tools alone.
func witnesses() []witness { return nil }
