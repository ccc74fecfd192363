package page

import (
	"strings"
	"testing"
)

func TestOnlyWebAddressesAreOpened(t *testing.T) {
	for address, want := range map[string]bool{
		"https://runbooks.example/db": true, "http://10.0.3.17:9090/graph?g0=up": true,
		"": false, "javascript:alert(1)": false, "file:///etc/passwd": false, "vscode://x/y": false,
		"https://": false, "https://anna:secret@host.example/": false, "//host.example/": false, "--help": false,
		"https://host.example/" + strings.Repeat("a", 3000): false, "https://host.example/\x00": false,
	} {
		if got := WebAddress(address); got != want {
			t.Errorf("%.40q is opened: %v", address, got)
		}
	}
}
