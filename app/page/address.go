package page

import "net/url"

// WebAddress says whether a link that came with a page may be opened by a
// click: only http and https, with a host and without a user or password. What
// else there is could start a program.
func WebAddress(address string) bool {
	parsed, err := url.Parse(address)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Hostname() != "" && parsed.User == nil && len(address) <= 2000
}
