package kit

import (
	"slices"

	"fyne.io/fyne/v2/widget"
)

// Draft is what was typed about a page and not kept yet.
type Draft struct{ About, Title, Text string }

// Note is the field for notes. It keeps a draft for each page, so that what
// was begun about one page is never kept to another.
type Note struct {
	Entry *widget.Entry
	now   Draft   // its Text is the field's own
	left  []Draft // of other pages, oldest first
	keep  func(about, text string)
}

// NewNote makes a field; keep is told of each note and the page it is about.
func NewNote(keep func(about, text string)) *Note {
	n := &Note{Entry: widget.NewEntry(), keep: keep}
	n.Entry.SetPlaceHolder("What are you seeing or doing? Enter keeps it, even offline.")
	n.Entry.OnSubmitted = func(string) { n.Submit() }
	return n
}

// About turns the field to a page: what was typed about another one is put
// aside, and what was typed about this one before is there again.
func (n *Note) About(id, title string) {
	if id == n.now.About {
		n.now.Title = title
		return
	}
	if n.Entry.Text != "" {
		n.now.Text = n.Entry.Text
		n.left = append(n.left, n.now)
	}
	n.now = Draft{About: id, Title: title}
	text := ""
	if at := n.aside(id); at >= 0 {
		text = n.left[at].Text
		n.left = slices.Delete(n.left, at, at+1)
	}
	n.Entry.SetText(text)
}

// Submit keeps what is in the field.
func (n *Note) Submit() {
	if n.Entry.Text != "" && n.now.About != "" {
		n.keep(n.now.About, n.Entry.Text)
	}
}

// SubmitAside keeps a draft that was put aside, to the page it is about.
func (n *Note) SubmitAside(d Draft) { n.keep(d.About, d.Text) }

// Kept takes away what has been kept, unless it was changed meanwhile.
func (n *Note) Kept(about, text string) {
	if about == n.now.About {
		if n.Entry.Text == text {
			n.Entry.SetText("")
		}
		return
	}
	if at := n.aside(about); at >= 0 && n.left[at].Text == text {
		n.left = slices.Delete(n.left, at, at+1)
	}
}

// Aside are the drafts about other pages, oldest first.
func (n *Note) Aside() []Draft { return slices.Clone(n.left) }

func (n *Note) aside(id string) int {
	return slices.IndexFunc(n.left, func(d Draft) bool { return d.About == id })
}
