package jsm

import "time"

// The fake service is faster than a real one, and so are the tests.
func init() {
	firstLook, confirmFor = 4*time.Millisecond, 300*time.Millisecond
}
