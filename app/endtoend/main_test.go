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

func TestMain(m *testing.M) {
	name := os.Getenv(roleVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	play, known := roles[name]
	if !known {
		fmt.Fprintln(os.Stderr, "there is no role", name)
		os.Exit(2)
	}
	play()
}
