package provider

import (
	"maps"
	"sync"

	"nightstand/app/page"
)

// Confirmed holds what pages were read as after a change, so that a list that
// was on its way meanwhile is not taken for the state after it. Its zero value is
// ready, and it may be used from several goroutines.
type Confirmed struct {
	mutex   sync.Mutex
	changes int
	pages   map[string]confirmation
}

// confirmation is a page as it was read after the change of this number.
type confirmation struct {
	page  page.Page
	order int
}

// Begin is where the reading of a list begins.
func (c *Confirmed) Begin() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.changes
}

// Change says that a list which is being read is older than a change.
func (c *Confirmed) Change() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.changes++
}

// Keep takes in a page as it is after a change.
func (c *Confirmed) Keep(p page.Page) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.changes++
	if c.pages == nil {
		c.pages = map[string]confirmation{}
	}
	c.pages[p.UpstreamID] = confirmation{p, c.changes}
}

// Overtake puts what was confirmed while a list was on its way in the place of
// what the list says, and forgets what is older than the list.
func (c *Confirmed) Overtake(pages []page.Page, began int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for i := range pages {
		if newer, found := c.pages[pages[i].UpstreamID]; found && newer.order > began {
			pages[i] = newer.page
		}
	}
	maps.DeleteFunc(c.pages, func(_ string, one confirmation) bool { return one.order <= began })
}

// Len is how many pages are held.
func (c *Confirmed) Len() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.pages)
}
