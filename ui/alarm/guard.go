package alarm

import "time"

// calm is how long nothing may have been pressed before a press counts.
const calm = 700 * time.Millisecond

// stuck is after how long a press whose release was never told is forgotten:
// the release went to another window.
const stuck = 5 * time.Second

// pointer stands for every button of the mouse among the things held down.
const pointer = "the pointer"

// guard keeps a window that pops up under typing fingers from answering a
// page. It is armed only when nothing is held down and nothing was pressed for
// 700 ms since the window appeared, and only while the window has the focus:
// without it, presses go elsewhere and nobody can tell what is held down.
type guard struct {
	focused bool
	last    time.Time // when something was last pressed, or the window appeared
	down    map[string]time.Time
}

// appear begins anew: a window has come up, or what it shows has changed.
func (g *guard) appear(now time.Time) {
	g.last = now
	if g.down == nil {
		g.down = map[string]time.Time{}
	}
}

// press takes in a key or a button going down, or repeating by itself, and
// says whether it counts: whether the guard was armed just before.
func (g *guard) press(what string, now time.Time) bool {
	counts := g.armed(now)
	g.last = now
	g.down[what] = now
	return counts
}

// stir takes in a sign of typing that does not tell which key is down.
func (g *guard) stir(now time.Time) { g.last = now }

func (g *guard) release(what string) { delete(g.down, what) }

// focus takes in that the window has gained or lost the keyboard.
func (g *guard) focus(has bool, now time.Time) {
	if g.focused != has {
		g.focused = has
		clear(g.down)
		g.appear(now)
	}
}

// armed says whether a press would count now.
func (g *guard) armed(now time.Time) bool {
	for what, since := range g.down {
		if now.Sub(since) > stuck {
			delete(g.down, what)
		}
	}
	return g.focused && len(g.down) == 0 && now.Sub(g.last) >= calm
}
