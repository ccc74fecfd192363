package goalert

import (
	"os"
	"path/filepath"
	"testing"
)

// An administrator pastes the document from there.
func TestTheDocumentOfAKeyStandsInTheDocumentation(t *testing.T) {
	written, err := os.ReadFile(filepath.Join("..", "..", "docs", "goalert-api-key.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != KeyDocument+"\n" && string(written) != KeyDocument {
		t.Error("docs/goalert-api-key.graphql is not the document that keys are asked with")
	}
}
