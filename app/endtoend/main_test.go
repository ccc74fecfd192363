package endtoend

import (
	"fmt"
	"os"
	"testing"
)

// roleVariable turns this test binary into one of the programs that the tests
// run on the desktop.
const roleVariable = "ENDTOEND_ROLE"

// roles are those programs by name. Files of tests add theirs.
var roles = map[string]func(){}

// afterwards is done when all tests have ended. Files of tests add to it.
var afterwards []func()

func TestMain(m *testing.M) {
	name := os.Getenv(roleVariable)
	if name == "" {
		code := m.Run()
		for _, do := range afterwards {
			do()
		}
		os.Exit(code)
	}
	play, known := roles[name]
	if !known {
		fmt.Fprintln(os.Stderr, "there is no role", name)
		os.Exit(2)
	}
	play()
}
