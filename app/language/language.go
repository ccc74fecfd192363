// Package language lets a session without a language ("C.UTF-8", as services
// and containers have it) speak English. The toolkit of the windows complains
// about such a session on standard error, and does so while the program is
// still being loaded, the agent and every command included. So this package
// has to be loaded before it: it needs nothing but the environment, which is
// why the linker puts it first. A test of the program holds that.
package language

import "os"

func init() {
	if os.Getenv("LANGUAGE") != "" {
		return
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if spoken := os.Getenv(name); spoken != "" {
			if len(spoken) > 2 && spoken[:2] == "C." || len(spoken) > 6 && spoken[:6] == "POSIX." {
				_ = os.Setenv("LANGUAGE", "en") // it cannot fail: neither is empty
			}
			return
		}
	}
}
