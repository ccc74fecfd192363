package notify

import "testing"

// Where notifications pass through scripts, nothing a script could read as its
// own may get through, even when a caller puts page text in the wrong field.
func TestOnlyHarmlessWordsLeaveForAScript(t *testing.T) {
	for _, each := range []struct {
		note Note
		want string
	}{
		{Note{Fixed: "A page is ringing.", Count: 1, Title: "secret"}, "A page is ringing."},
		{Note{Fixed: "Pages are ringing.", Count: 12, Body: "secret"}, "Pages are ringing. (12)"},
		{Note{Fixed: "$(calc) `calc` \"a\" 'b' <b>&amp;</b> \u201cc\u201d\n\\"}, "calc calc a b bamp;b c"},
	} {
		if got := sentence(each.note); got != each.want {
			t.Errorf("%q became %q, want %q", each.note.Fixed, got, each.want)
		}
	}
}
