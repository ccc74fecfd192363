package terminal

import (
	_ "embed"
	"io"

	"github.com/alecthomas/kong"
)

//go:embed overview.txt
var overview string

// help prints the overview, or the help of the command that was named.
func help(options kong.HelpOptions, chosen *kong.Context) error {
	if chosen.Selected() != nil {
		return kong.DefaultHelpPrinter(options, chosen)
	}
	_, err := io.WriteString(chosen.Stdout, overview)
	return err
}
