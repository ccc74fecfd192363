// Package window is the process that the windows live in: it starts Fyne,
// follows the agent and hands what it says to one view. It is the only one
// that opens a graphics context; when it dies, the agent rings on and opens
// another.
package window

import (
	"context"
	"log"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/assets"
	"nightstand/ui/kit"
	"nightstand/ui/look"
)

// Options say which window is wanted.
type Options struct {
	// View is "alarm", or a view of the main window: "now", "pages".
	View string
	// Dial finds the running agent; its error is control.ErrNotRunning.
	Dial func() (*control.Client, error)
	// Version is this program's; an agent of another one is told of.
	Version string
}

// Views are those that can be asked for by name.
func Views() []string { return []string{"now", "pages", "alarm"} }

// NoScreenError says that no window can be shown here, and why.
type NoScreenError struct{ Reason string }

func (e *NoScreenError) Error() string {
	return "No window can be shown here: " + e.Reason + ". The siren, the notification and the command line work without one"
}

// view is what a window shows.
type view interface {
	// see and miss take in what the agent says, and that it says nothing.
	see(control.State)
	miss(problem string)
	// tick lets time pass: countdowns, and keys that become ready.
	tick()
	focus(has bool)
}

// frame is how often time is let pass in a window.
const frame = 200 * time.Millisecond

// Run shows one window until it is closed or ctx ends. It must be called on
// the main goroutine. Its error is a *NoScreenError where there is no screen
// to draw on.
func Run(ctx context.Context, o Options) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Whoever opened the window may die and take the other end of standard
	// error along; that is no reason to close it.
	signal.Ignore(syscall.SIGPIPE)
	trouble := listenToFyne()
	defer func() {
		// Without any screen the toolkit does not give up but falls over.
		if fault := recover(); fault != nil {
			if trouble.reason() == "" {
				panic(fault)
			}
			err = &NoScreenError{Reason: trouble.reason()}
		}
	}()
	fyneapp.SetMetadata(fyne.AppMetadata{ID: identity, Name: "Nightstand", Version: o.Version, Migrations: map[string]bool{"fyneDo": os.Getenv(checkThreads) == ""}})
	application := fyneapp.NewWithID(identity)

	palette := look.Alarm
	if o.View != "alarm" {
		palette = look.Day
		if look.Dark(application.Settings().ThemeVariant() == theme.VariantDark, time.Now()) {
			palette = look.Night
		}
	}
	application.Settings().SetTheme(look.Theme{Palette: palette})
	application.SetIcon(fyne.NewStaticResource("icon.png", assets.Icon))

	p := &process{ctx: ctx, options: o, application: application}
	if o.View == "alarm" {
		p.window = p.alarmWindow(true, fyne.NewSize(1200, 760))
	} else {
		p.window = p.mainWindow()
	}
	// While the driver makes the window, which is most of the time it takes to
	// come up, the other core reads the fonts and asks the agent.
	go kit.ReadFonts()
	shown := make(chan struct{})
	go follow(ctx, o.Dial, p.kind(), shown, func(box *mailbox) {
		fyne.Do(func() { hand(box.take(), p.view) })
	})
	p.window.SetContent(canvas.NewRectangle(palette.Ground))
	application.Lifecycle().SetOnEnteredForeground(func() { p.focus(true) })
	application.Lifecycle().SetOnExitedForeground(func() { p.focus(false) })
	p.window.Show()
	if reason := trouble.reason(); reason != "" {
		return &NoScreenError{Reason: reason}
	}
	close(shown)
	if o.View == "alarm" {
		p.view = p.alarmView(palette)
	} else {
		p.view = p.mainView(palette)
	}
	p.view.focus(p.focused)
	p.begin(trouble)
	application.Run()
	if reason := trouble.reason(); reason != "" {
		return &NoScreenError{Reason: reason}
	}
	return nil
}

// focus takes in that the window has gained or lost the keyboard, which may be
// before there is a view.
func (p *process) focus(has bool) {
	p.focused = has
	if p.view != nil {
		p.view.focus(has)
	}
}

// begin lets the view live: it is told of the time, until the process is to end.
func (p *process) begin(trouble *trouble) {
	application, ctx, v := p.application, p.ctx, p.view
	end := func() { fyne.Do(application.Quit) }
	application.Lifecycle().SetOnStarted(func() {
		go p.beat(v)
		go func() {
			<-ctx.Done()
			end()
		}()
		go func() {
			select {
			case <-trouble.found:
				end()
			case <-ctx.Done():
			}
		}()
	})
}

// alarmWindow makes a window for the alarm; above stays in front of all others.
func (p *process) alarmWindow(above bool, size fyne.Size) fyne.Window {
	w := p.application.NewWindow("Nightstand: a page")
	w.Resize(size)
	w.CenterOnScreen()
	if d, is := w.(desktop.Window); is && above {
		d.RequestAlwaysOnTop()
	}
	return w
}

// mainWindow makes the window for everything else.
func (p *process) mainWindow() fyne.Window {
	w := p.application.NewWindow("Nightstand")
	w.Resize(fyne.NewSize(1200, 720))
	return w
}

// checkThreads names the variable that lets the toolkit complain about views
// that are drawn from the wrong goroutine; tests set it.
const checkThreads = "NIGHTSTAND_CHECK_THREADS"

// identity names the program to the desktop.
const identity = "example.nightstand"

// kind is what the window introduces itself as.
func (p *process) kind() string {
	if p.options.View == "alarm" {
		return "alarm"
	}
	return "main"
}

func hand(n news, v view) {
	if n.problem != "" {
		v.miss(n.problem)
		return
	}
	v.see(n.state)
}

// process is what the views share: the window they are in and the agent they
// speak to.
type process struct {
	ctx         context.Context
	options     Options
	window      fyne.Window
	application fyne.App
	view        view
	focused     bool
}

// beat lets time pass in the view.
func (p *process) beat(v view) {
	clock := time.NewTicker(frame)
	defer clock.Stop()
	for {
		select {
		case <-clock.C:
			fyne.Do(v.tick)
		case <-p.ctx.Done():
			return
		}
	}
}

// ask sends one command and hands on what went wrong as a sentence.
func (p *process) ask(command func(context.Context, *control.Client) error, failed func(sentence string)) {
	go func() {
		client, err := p.options.Dial()
		if err == nil {
			err = command(p.ctx, client)
		}
		if err != nil && failed != nil && p.ctx.Err() == nil {
			fyne.Do(func() { failed(err.Error()) })
		}
	}()
}

// open shows a web address in the browser; nothing else is ever opened.
func (p *process) open(address string) {
	parsed, err := url.Parse(address)
	if err != nil || !page.WebAddress(address) {
		return
	}
	_ = p.application.OpenURL(parsed) // without a browser there is nothing to be done
}

// read asks for everything known about a page and hands it on.
func (p *process) read(id string, know func(control.Detail)) {
	p.ask(func(ctx context.Context, c *control.Client) error {
		detail, err := c.Page(ctx, id)
		if err == nil {
			fyne.Do(func() { know(detail) })
		}
		return err
	}, nil) // it is asked again with the next change
}

// keepNote keeps a note, tells how that went, and reads the page again.
func (p *process) keepNote(id, text string, kept func(id, text, sentence string, done bool), again func(id string)) {
	p.ask(func(ctx context.Context, c *control.Client) error {
		entry, err := c.AddNote(ctx, id, control.NewNote{Text: text})
		if err == nil {
			fyne.Do(func() {
				kept(id, text, "Kept at "+entry.At.In(time.Local).Format("15:04:05")+".", true)
				again(id)
			})
		}
		return err
	}, func(sentence string) { kept(id, text, sentence, false) })
}

// alike says so in the state where the agent is of another version than this
// window: what it means may then not be what is read here.
func (p *process) alike(s control.State) control.State {
	if s.Agent.Version == p.options.Version {
		return s
	}
	s.Armed.Signals = append(control.List[control.Signal]{{
		Name: "version", State: "warning", Required: true,
		Detail: "this window is version " + page.Plain(p.options.Version, 40) + " and the agent is " + page.Plain(s.Agent.Version, 40) + "; end the agent with “nightstand quit” and start it again",
	}}, s.Armed.Signals...)
	return s
}

// raise brings the window to the front, where the desktop lets it.
func (p *process) raise() {
	p.window.Show()
	p.window.RequestFocus()
}

// trouble is what Fyne could only write into its log: that there is no screen.
type trouble struct {
	mu    sync.Mutex
	said  string
	found chan struct{}
}

// listenToFyne reads along in the log, which is the only place where Fyne says
// that it could not open a window.
func listenToFyne() *trouble {
	t := &trouble{found: make(chan struct{})}
	log.SetOutput(t)
	return t
}

// Write takes in what is logged, and passes it on to standard error.
func (t *trouble) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := string(text)
	switch {
	case strings.Contains(line, "window creation error"), strings.Contains(line, "failed to initialise GLFW"):
		if t.said == "" {
			t.said = "the graphics driver gives no OpenGL context"
			close(t.found)
		}
	case t.said != "" && strings.Contains(line, "Cause: "):
		_, cause, _ := strings.Cut(line, "Cause: ")
		if !strings.Contains(t.said, "(") {
			t.said += " (" + page.Plain(cause, 200) + ")"
		}
	}
	return os.Stderr.Write(text)
}

func (t *trouble) reason() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.said
}
