package goalerttest

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// schema is GoAlert's own, from the folder that NIGHTSTAND_SPECS names or from
// the one beside the repository; nil where neither has it.
var schema = sync.OnceValue(func() *ast.Schema {
	const name = "goalert-schema-full.graphql"
	places := []string{filepath.Join(os.Getenv("NIGHTSTAND_SPECS"), name)}
	if here, err := os.Getwd(); err == nil {
		for ; here != filepath.Dir(here); here = filepath.Dir(here) {
			if _, err := os.Stat(filepath.Join(here, "go.mod")); err == nil {
				places = append(places, filepath.Join(here, "..", "shared", "paging", "specs", name))
			}
		}
	}
	for _, place := range places {
		text, err := os.ReadFile(place)
		if err != nil {
			continue
		}
		if read, err := gqlparser.LoadSchema(&ast.Source{Name: name, Input: string(text)}); err == nil {
			return read
		}
	}
	return nil
})
