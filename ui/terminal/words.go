package terminal

import "nightstand/ui/words"

// The command line says things as the windows do.
var (
	sentence = words.Sentence
	clause   = words.Clause
	oneLine  = words.OneLine
	span     = words.Span
	second   = words.Second
	minute   = words.Minute
	count    = words.Count
	ended    = words.Ended
)
