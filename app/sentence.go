package app

import (
	"strings"

	"nightstand/sync/provider"
)

// sentence turns a failure into words that can stand inside another sentence:
// without the full stop at its end.
func sentence(err error) string {
	return strings.TrimSuffix(strings.TrimSpace(provider.Sentence(err)), ".")
}
