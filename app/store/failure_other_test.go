//go:build !linux

package store

// Killing, filling and forbidding are tried on Linux; elsewhere this program
// plays no other process.
const roleVariable = "NIGHTSTAND_STORE_TEST_ROLE"

func play(string) int { return 2 }
