package provider

import (
	"fmt"
	"slices"
	"strings"

	"nightstand/app/page"
)

// ReadSeverities checks a user's own table, from a service's word to a severity,
// and makes its words small, so that upper and lower case make no difference.
// Its error is an *Error of the kind Invalid.
func ReadSeverities(table map[string]page.Severity) (map[string]page.Severity, error) {
	lower := make(map[string]page.Severity, len(table))
	for word, severity := range table {
		if !slices.Contains(page.Severities(), severity) {
			return nil, &Error{Kind: Invalid, Sentence: fmt.Sprintf("The severity table gives %q for %q. It must be one of critical, degraded, minor, hidden and other.",
				page.Plain(string(severity), 40), page.Plain(word, 40))}
		}
		lower[strings.ToLower(strings.TrimSpace(word))] = severity
	}
	return lower, nil
}
