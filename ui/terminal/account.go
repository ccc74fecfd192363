package terminal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/ui/words"
)

// accountName is what an account may be called.
var accountName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// longestSecret is more than any token has.
const longestSecret = 64 << 10

type accountAddCommand struct {
	printing
	Name     string `placeholder:"NAME" help:"What to call it: letters, digits, hyphen, dot, underscore."`
	Provider string `placeholder:"KIND" help:"The kind of service: alertmanager, pagerduty, goalert, grafana, jsm or opsgenie."`
	accountOptions
	Replace bool `help:"Change the account of this name if there is one already."`
}

// accountOptions are what can be said of an account when it is set up, and
// changed afterwards.
type accountOptions struct {
	URL        string `name:"url" placeholder:"URL" help:"Where it is, such as http://alertmanager.example.org:9093. Not needed for PagerDuty and Opsgenie; eu is their European region."`
	User       string `placeholder:"NAME" help:"Who you are there; your acknowledgements carry this name. Your login name when not given. Where the service knows people by e-mail address, that address."`
	TokenStdin bool   `name:"token-stdin" help:"Read the password, token or API key from standard input; nothing is asked for it."`
	Auth       string `placeholder:"WAY" help:"How to log in: basic or bearer. Found out when not given. Alertmanager only, as are the receiver, filter, severity label and heartbeat."`
	CA         string `name:"ca" placeholder:"FILE" help:"A file with the certificate authority to trust (PEM)."`
	Cert       string `placeholder:"FILE" help:"Your own certificate, where the service wants one (PEM); its key with --key."`
	Key        string `placeholder:"FILE" help:"The key of that certificate (PEM, without a passphrase)."`
	Proxy      string `placeholder:"URL" help:"A proxy to go through."`

	Receiver string   `placeholder:"NAMES" help:"Which pages are mine: those for this receiver (a regular expression)."`
	Filter   []string `sep:"none" placeholder:"CONDITION" help:"Which pages are mine: those with this label, such as team=\"db\". May be given several times; all must hold."`

	Team  []string `placeholder:"NAME" help:"Which pages are mine: those of this team. Grafana only; your own teams when not given. May be given several times."`
	Query string   `placeholder:"SEARCH" help:"Which pages are mine, in the service's own search language. Jira Service Management and Opsgenie only."`

	Changes string `placeholder:"PLACE" help:"What tells of deployments and other changes: an address that answers with JSON, or a program that prints it; see the README."`

	SeverityLabel string            `placeholder:"LABEL" help:"The label that says how bad a page is."`
	Severity      map[string]string `mapsep:"none" placeholder:"NAME=LEVEL" help:"What a value of that label means: critical, degraded, minor, hidden or other. For PagerDuty the name of a priority, the severity of an alert, or an urgency. May be given several times."`
	Heartbeat     []string          `sep:"none" placeholder:"NAME" help:"An alert that always fires and never rings; its absence means that real ones may not come either. Watchdog when not given."`

	MemoryOnly bool `help:"Keep the password in the agent's memory only, until it ends, where there is no keyring."`
	NoTest     bool `help:"Keep the account even if the service cannot be reached now."`
}

// Help tells about the secret and about the questions.
func (*accountAddCommand) Help() string {
	return "The service is asked first, and the account is kept if it answers. " +
		"The password or token goes to this machine's keyring and nowhere else. " +
		"In a terminal you are asked which pages are yours, and for a password if the service wants one; " +
		"a script is asked nothing, and everything the service lists is taken as yours unless --receiver or --filter narrows it. " +
		"The other services say themselves which pages are yours, by the person whose credential it is."
}

// Run sets an account up.
func (c *accountAddCommand) Run(s *session) error {
	asked, err := c.asked(s.LoginName)
	if err != nil {
		return err
	}
	if c.TokenStdin {
		if asked.Secret, err = s.readSecret(asked); err != nil {
			return err
		}
	}
	kind, _ := serviceOf(asked.Provider)
	if kind.secret != "" && asked.Secret == "" && (c.TokenStdin || !s.Terminal) {
		return &usageError{kind.title + " wants your own " + kind.secret + "; give it on standard input with --token-stdin. " + kind.make + " Nothing was changed."}
	}
	accounts, done, err := s.Accounts(s.ctx)
	if err != nil {
		return err
	}
	defer done()

	everything := kind.matches && asked.Receiver == "" && len(asked.Filters) == 0
	if s.Terminal && (everything || !kind.matches) {
		if err := s.interview(accounts, &asked, c.TokenStdin); err != nil {
			return err
		}
	}
	report, err := accounts.AddAccount(s.ctx, asked)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := s.print(report); err != nil {
			return err
		}
	} else {
		s.tellReport(asked.Name, report)
		s.say(keptWords(asked.Name, report.Kept))
	}
	if everything && !s.Terminal && !report.OK && report.Kept {
		// A service that was asked says so itself, in the report's notes.
		s.tell("Everything this service lists is taken as yours, because neither --receiver nor --filter was given.")
	}
	if !report.Kept {
		return errNo
	}
	return nil
}

func keptWords(name string, kept bool) string {
	if kept {
		return "The account “" + name + "” is set up. A running agent watches it from now on; “nightstand status” shows it."
	}
	return "Nothing was kept, so pages of “" + name + "” do not reach you through this account. Mend what is said above, or keep it all the same with --no-test."
}

// asked reads what was typed; its errors are usage errors. login is the user's
// name unless another one is given, as an option or in the URL.
func (c *accountAddCommand) asked(login string) (control.NewAccount, error) {
	kind, known := serviceOf(c.Provider)
	switch {
	case c.Name == "":
		return unchanged("Say what to call the account, for example --name prod.")
	case !accountName.MatchString(c.Name):
		return unchanged("An account's name is made of letters, digits, hyphen, dot and underscore, begins with a letter or digit, and has at most 64 of them.")
	case c.Provider == "":
		return unchanged("Say which kind of service it is with --provider. There are " + kinds() + ".")
	case !known:
		return unchanged("There is no provider “" + page.Plain(c.Provider, 40) + "”. There are " + kinds() + ".")
	case c.URL == "" && kind.address != "":
		return unchanged("Say where the service is, for example --url " + kind.address + ".")
	case c.User == "" && kind.login:
		return unchanged("Say who you are there with --user, the e-mail address you log in with.")
	}
	asked, err := c.read(kind)
	if err != nil {
		return asked, err
	}
	if kind.matches {
		asked.User = cmp.Or(asked.User, login)
	}
	asked.Name, asked.Provider, asked.Replace = c.Name, c.Provider, c.Replace
	return asked, nil
}

func unchanged(sentence string) (control.NewAccount, error) {
	return control.NewAccount{}, &usageError{sentence + " Nothing was changed."}
}

// read takes what was said of an account of this kind.
func (o *accountOptions) read(kind service) (control.NewAccount, error) {
	switch option := o.foreign(kind); {
	case option != "":
		return unchanged(option + " means nothing to " + kind.title + ". Leave it out.")
	case o.Auth != "" && o.Auth != "basic" && o.Auth != "bearer":
		return unchanged("--auth is basic or bearer.")
	case (o.Cert == "") != (o.Key == ""):
		return unchanged("A certificate and its key belong together: --cert and --key.")
	}
	user := o.User
	if address, err := url.Parse(o.URL); err == nil && address.User != nil {
		user = cmp.Or(user, address.User.Username())
		if _, given := address.User.Password(); given {
			return unchanged("The URL contains a password, which other people on this machine can read there. Leave it out and give it on standard input with --token-stdin.")
		}
	}
	for _, filter := range o.Filter {
		if !condition.MatchString(strings.TrimSpace(filter)) {
			return unchanged("“" + page.Plain(filter, 60) + "” is not a condition on a label. It should look like team=\"db\".")
		}
	}
	for _, value := range slices.Sorted(maps.Keys(o.Severity)) {
		if !slices.Contains(page.Severities(), page.Severity(o.Severity[value])) {
			return unchanged("“" + page.Plain(o.Severity[value], 40) + "” is not a severity. There are critical, degraded, minor, hidden and other.")
		}
	}
	asked := control.NewAccount{
		URL: o.URL, User: user, Auth: o.Auth, Proxy: o.Proxy, Teams: o.Team, Query: o.Query, Changes: o.Changes,
		Receiver: o.Receiver, Filters: o.Filter, SeverityLabel: o.SeverityLabel, Severities: o.Severity, Heartbeats: o.Heartbeat,
		NoTest: o.NoTest, MemoryOnly: o.MemoryOnly,
	}
	for _, file := range []struct {
		option, typed string
		into          *string
	}{{"--ca", o.CA, &asked.CAFile}, {"--cert", o.Cert, &asked.CertFile}, {"--key", o.Key, &asked.KeyFile}} {
		if file.typed == "" || file.typed == control.Nothing {
			*file.into = file.typed
			continue
		}
		absolute, err := filepath.Abs(file.typed)
		if err == nil {
			_, err = os.Stat(absolute)
		}
		if err != nil {
			return unchanged("The file given with " + file.option + " cannot be read.")
		}
		*file.into = absolute
	}
	return asked, nil
}

// foreign is an option that was given and that means nothing to this kind.
func (o *accountOptions) foreign(kind service) string {
	for _, one := range []struct {
		option       string
		given, means bool
	}{
		{"--receiver", o.Receiver != "", kind.matches},
		{"--filter", len(o.Filter) > 0, kind.matches},
		{"--severity-label", o.SeverityLabel != "", kind.matches || kind.teams},
		{"--auth", o.Auth != "", kind.matches},
		{"--heartbeat", len(o.Heartbeat) > 0, kind.matches},
		{"--team", len(o.Team) > 0, kind.teams},
		{"--query", o.Query != "", kind.query},
	} {
		if one.given && !one.means {
			return one.option
		}
	}
	return ""
}

// readSecret takes the whole standard input as the secret, without the end of
// its line; from a person at a terminal it is asked without showing it.
func (s *session) readSecret(asked control.NewAccount) (string, error) {
	if s.Terminal {
		return s.await(func() (string, error) { return s.ReadSecret(secretPrompt(asked)) })
	}
	return s.await(func() (string, error) {
		content, err := io.ReadAll(io.LimitReader(s.typed, longestSecret+1))
		if err != nil {
			return "", errors.New("the password or token could not be read from standard input; nothing was changed")
		}
		if len(content) > longestSecret {
			return "", &usageError{"What came on standard input is too long to be a password or token. Nothing was changed."}
		}
		secret, cut := strings.CutSuffix(string(content), "\n")
		if cut {
			secret = strings.TrimSuffix(secret, "\r")
		}
		return secret, nil
	})
}

func secretPrompt(asked control.NewAccount) string {
	if kind, _ := serviceOf(asked.Provider); kind.secret != "" {
		return "Your " + kind.secret + " at " + kind.title + " (it is not shown; Enter for none): "
	}
	return "Password or token of " + page.Plain(asked.User, 60) + " (it is not shown; Enter for none): "
}

type accountEditCommand struct {
	printing
	Name string `arg:"" help:"The account's name."`
	accountOptions
}

// Help tells what stays.
func (*accountEditCommand) Help() string {
	return "What is not named stays as it is, the password or token too. “none” takes something away, such as --proxy none. " +
		"The service is asked first, and the change is kept if it answers."
}

// Run changes an account.
func (c *accountEditCommand) Run(s *session) error {
	accounts, done, err := s.Accounts(s.ctx)
	if err != nil {
		return err
	}
	defer done()
	listed, err := accounts.ListAccounts(s.ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(listed, func(a control.Account) bool { return a.Name == c.Name })
	if at < 0 {
		return unknownAccount(c.Name, control.ErrUnknown)
	}
	kind, _ := serviceOf(listed[at].Provider)
	asked, err := c.read(kind)
	if err != nil {
		return err
	}
	asked.Name, asked.Provider, asked.Edit = c.Name, listed[at].Provider, true
	if c.TokenStdin {
		if asked.Secret, err = s.readSecret(asked); err != nil {
			return err
		}
	}
	report, err := accounts.AddAccount(s.ctx, asked)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := s.print(report); err != nil {
			return err
		}
	} else {
		s.tellReport(c.Name, report)
		if report.Kept {
			s.say("The account “" + c.Name + "” is changed. A running agent goes by it from now on.")
		} else {
			s.say("Nothing was changed. Mend what is said above, or change it all the same with --no-test.")
		}
	}
	if !report.Kept {
		return errNo
	}
	return nil
}

type accountListCommand struct{ printing }

// Run lists the accounts.
func (c *accountListCommand) Run(s *session) error {
	accounts, done, err := s.Accounts(s.ctx)
	if err != nil {
		return err
	}
	defer done()
	listed, err := accounts.ListAccounts(s.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.print(control.List[control.Account](listed))
	}
	if len(listed) == 0 {
		s.say("No paging service is set up, so no page can arrive. Add one with “nightstand account add”.")
		return nil
	}
	now := s.now()
	var rows []row
	for _, a := range listed {
		rows = append(rows,
			row{cells: []string{a.Name, a.Provider, whereabouts(a)}},
			row{cells: []string{"", "", words.Freshness(a, now)}})
		if a.Mine != "" {
			rows = append(rows, row{cells: []string{"", "", "yours: " + a.Mine}})
		}
	}
	s.table(rows)
	return nil
}

// whereabouts says where an account is, and as whom we are there if that was
// given.
func whereabouts(a control.Account) string {
	kind, _ := serviceOf(a.Provider)
	where := kind.place(a.URL)
	if a.User != "" {
		where += " as " + a.User
	}
	return where
}

type accountTestCommand struct {
	printing
	Name string `arg:"" help:"The account's name."`
}

// Run asks a service whether everything is right.
func (c *accountTestCommand) Run(s *session) error {
	accounts, done, err := s.Accounts(s.ctx)
	if err != nil {
		return err
	}
	defer done()
	report, err := accounts.TestAccount(s.ctx, c.Name)
	if err != nil {
		return unknownAccount(c.Name, err)
	}
	if c.JSON {
		if err := s.print(report); err != nil {
			return err
		}
	} else {
		s.tellReport(c.Name, report)
	}
	if !report.OK {
		return errNo
	}
	return nil
}

type accountRemoveCommand struct {
	Name string `arg:"" help:"The account's name."`
}

// Run forgets an account.
func (c *accountRemoveCommand) Run(s *session) error {
	accounts, done, err := s.Accounts(s.ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := accounts.RemoveAccount(s.ctx, c.Name); err != nil {
		return unknownAccount(c.Name, err)
	}
	s.say("The account “" + page.Plain(c.Name, 64) + "” and its password are forgotten. Its pages no longer ring here.")
	return nil
}

func unknownAccount(name string, err error) error {
	if errors.Is(err, control.ErrUnknown) {
		return &unknownError{"There is no account “" + page.Plain(name, 64) + "”. “nightstand account list” lists those there are."}
	}
	return err
}

// tellReport says what a service said.
func (s *session) tellReport(name string, report control.AccountReport) {
	switch {
	case report.OK:
		s.say(sentence("“" + name + "” answers: " + report.Service + ", where you are " + report.User))
		s.listWouldRing(report.Open, s.say)
		s.tellAble(report)
	case report.Error != "":
		s.say("“" + name + "” cannot be used as it is. " + sentence(report.Error))
	default:
		s.say("“" + name + "” was not asked, so nobody knows yet whether it works.")
	}
	for _, note := range report.Notes {
		s.say("Note: " + sentence(note))
	}
	for _, lack := range report.Lacks {
		s.say("This credential does not do: " + sentence(lack))
	}
}

// tellAble says what can be done from here, how many pages are mine, and until
// when the credential lasts.
func (s *session) tellAble(report control.AccountReport) {
	if len(report.Open) > 0 {
		s.say(count(report.Mine, "of them is yours.", "of them are yours."))
	}
	able := append([]string{"acknowledge"}, report.Can...)
	s.say("From here you can " + strings.Join(able, ", ") + ".")
	if report.Expires != nil {
		s.say("The credential runs out on " + report.Expires.In(time.Local).Format("2 January 2006 at 15:04") + ".")
	}
}

// mostListed is how many open pages are shown when an account is looked at.
const mostListed = 10

// listWouldRing shows what is open there now.
func (s *session) listWouldRing(open []control.Page, say func(string)) {
	if len(open) == 0 {
		say("Nothing is open there now.")
		return
	}
	say(count(len(open), "page is open there now:", "pages are open there now:"))
	for _, p := range open[:min(mostListed, len(open))] {
		say(fmt.Sprintf("- %s (%s)", oneLine(p.Title, s.screen.width-16), p.Severity))
	}
	if more := len(open) - mostListed; more > 0 {
		say(fmt.Sprintf("- and %d more", more))
	}
}
