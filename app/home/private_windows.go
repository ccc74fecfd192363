package home

// private has nothing to do: folders under the profile are the user's own.
func private(string) error { return nil }
