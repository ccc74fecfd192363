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

	"nightstand/app/control"
	"nightstand/app/page"
	"nightstand/ui/words"
)

// The paging services there are.
const (
	alertmanager = "alertmanager"
	pagerDuty    = "pagerduty"
)

var providers = []string{alertmanager, pagerDuty}

// accountName is what an account may be called.
var accountName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// longestSecret is more than any token has.
const longestSecret = 64 << 10

type accountAddCommand struct {
	printing
	Name       string `placeholder:"NAME" help:"What to call it: letters, digits, hyphen, dot, underscore."`
	Provider   string `placeholder:"KIND" help:"The kind of service: alertmanager or pagerduty."`
	URL        string `name:"url" placeholder:"URL" help:"Where it is, such as http://alertmanager.example.org:9093. Not needed for PagerDuty; eu is its European region."`
	User       string `placeholder:"NAME" help:"Who you are there; your acknowledgements carry this name. Your login name when not given. For PagerDuty your e-mail address, only compared with the key's."`
	TokenStdin bool   `name:"token-stdin" help:"Read the password, token or API key from standard input; nothing is asked for it."`
	Auth       string `placeholder:"WAY" help:"How to log in: basic or bearer. Found out when not given. Alertmanager only, as are the receiver, filter, severity label and heartbeat."`
	CA         string `name:"ca" placeholder:"FILE" help:"A file with the certificate authority to trust (PEM)."`
	Proxy      string `placeholder:"URL" help:"A proxy to go through."`

	Receiver string   `placeholder:"NAMES" help:"Which pages are mine: those for this receiver (a regular expression)."`
	Filter   []string `sep:"none" placeholder:"CONDITION" help:"Which pages are mine: those with this label, such as team=\"db\". May be given several times; all must hold."`

	SeverityLabel string            `placeholder:"LABEL" help:"The label that says how bad a page is."`
	Severity      map[string]string `mapsep:"none" placeholder:"NAME=LEVEL" help:"What a value of that label means: critical, degraded, minor, hidden or other. For PagerDuty the name of a priority, the severity of an alert, or an urgency. May be given several times."`
	Heartbeat     []string          `sep:"none" placeholder:"NAME" help:"An alert that always fires and never rings; its absence means that real ones may not come either. Watchdog when not given."`

	Replace    bool `help:"Change the account of this name if there is one already."`
	MemoryOnly bool `help:"Keep the password in the agent's memory only, until it ends, where there is no keyring."`
	NoTest     bool `help:"Keep the account even if the service cannot be reached now."`
}

// Help tells about the secret and about the questions.
func (*accountAddCommand) Help() string {
	return "The service is asked first, and the account is kept if it answers. " +
		"The password or token goes to this machine's keyring and nowhere else. " +
		"In a terminal you are asked which pages are yours, and for a password if the service wants one; " +
		"a script is asked nothing, and everything the service lists is taken as yours unless --receiver or --filter narrows it. " +
		"PagerDuty itself says which pages are yours, those assigned to the person whose API key it is; " +
		"a key is made in that person's profile with “Create API User Token”."
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
	if asked.Provider == pagerDuty && asked.Secret == "" && (c.TokenStdin || !s.Terminal) {
		return &usageError{"PagerDuty wants your own API key; give it on standard input with --token-stdin. You make one in your profile there, with “Create API User Token”. Nothing was changed."}
	}
	accounts, done, err := s.Accounts(s.ctx)
	if err != nil {
		return err
	}
	defer done()

	everything := asked.Provider != pagerDuty && asked.Receiver == "" && len(asked.Filters) == 0
	if s.Terminal && (everything || asked.Provider == pagerDuty) {
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
	wrong := func(sentence string) (control.NewAccount, error) {
		return control.NewAccount{}, &usageError{sentence + " Nothing was changed."}
	}
	kinds := strings.Join(providers, " and ")
	switch {
	case c.Name == "":
		return wrong("Say what to call the account, for example --name prod.")
	case !accountName.MatchString(c.Name):
		return wrong("An account's name is made of letters, digits, hyphen, dot and underscore, begins with a letter or digit, and has at most 64 of them.")
	case c.Provider == "":
		return wrong("Say which kind of service it is with --provider. There are " + kinds + ".")
	case !slices.Contains(providers, c.Provider):
		return wrong("There is no provider “" + page.Plain(c.Provider, 40) + "”. There are " + kinds + ".")
	case c.Provider == pagerDuty && c.foreign() != "":
		return wrong(c.foreign() + " means something only for an Alertmanager; PagerDuty itself says which pages are yours. Leave it out.")
	case c.URL == "" && c.Provider == alertmanager:
		return wrong("Say where the service is, for example --url http://alertmanager.example.org:9093.")
	case c.Auth != "" && c.Auth != "basic" && c.Auth != "bearer":
		return wrong("--auth is basic or bearer.")
	}
	user := c.User
	if c.Provider == alertmanager {
		user = cmp.Or(user, login)
	}
	if address, err := url.Parse(c.URL); err == nil && address.User != nil {
		if c.User == "" {
			user = address.User.Username()
		}
		if _, given := address.User.Password(); given {
			return wrong("The URL contains a password, which other people on this machine can read there. Leave it out and give it on standard input with --token-stdin.")
		}
	}
	for _, filter := range c.Filter {
		if !condition.MatchString(strings.TrimSpace(filter)) {
			return wrong("“" + page.Plain(filter, 60) + "” is not a condition on a label. It should look like team=\"db\".")
		}
	}
	for _, value := range slices.Sorted(maps.Keys(c.Severity)) {
		if !slices.Contains(page.Severities(), page.Severity(c.Severity[value])) {
			return wrong("“" + page.Plain(c.Severity[value], 40) + "” is not a severity. There are critical, degraded, minor, hidden and other.")
		}
	}
	authority := c.CA
	if authority != "" {
		absolute, err := filepath.Abs(authority)
		if err == nil {
			_, err = os.Stat(absolute)
		}
		if err != nil {
			return wrong("The file given with --ca cannot be read.")
		}
		authority = absolute
	}
	return control.NewAccount{
		Name: c.Name, Provider: c.Provider, URL: c.URL, User: user, Auth: c.Auth, CAFile: authority, Proxy: c.Proxy,
		Receiver: c.Receiver, Filters: c.Filter, SeverityLabel: c.SeverityLabel, Severities: c.Severity, Heartbeats: c.Heartbeat,
		NoTest: c.NoTest, Replace: c.Replace, MemoryOnly: c.MemoryOnly,
	}, nil
}

// foreign is an option that was given and that only an Alertmanager has.
func (c *accountAddCommand) foreign() string {
	switch {
	case c.Receiver != "":
		return "--receiver"
	case len(c.Filter) > 0:
		return "--filter"
	case c.SeverityLabel != "":
		return "--severity-label"
	case c.Auth != "":
		return "--auth"
	case len(c.Heartbeat) > 0:
		return "--heartbeat"
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
	if asked.Provider == pagerDuty {
		return "Your API key at PagerDuty (it is not shown; Enter for none): "
	}
	return "Password or token of " + page.Plain(asked.User, 60) + " (it is not shown; Enter for none): "
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
	where := a.URL
	if a.Provider == pagerDuty {
		where = region(a.URL)
	}
	if a.User != "" {
		where += " as " + a.User
	}
	return where
}

// region says which PagerDuty an account is at.
func region(address string) string {
	switch strings.ToLower(address) {
	case "", "us":
		return "PagerDuty in the United States"
	case "eu":
		return "PagerDuty in Europe"
	}
	return "PagerDuty at " + page.Plain(address, 120)
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
	case report.Error != "":
		s.say("“" + name + "” cannot be used as it is. " + sentence(report.Error))
	default:
		s.say("“" + name + "” was not asked, so nobody knows yet whether it works.")
	}
	for _, note := range report.Notes {
		s.say("Note: " + sentence(note))
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
