package terminal

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"nightstand/app/control"
	"nightstand/app/page"
)

// condition is one label, how it is compared, and with what.
var condition = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*\s*(=~|!~|!=|=)\s*("([^"\\]|\\.)*"|[^",\s]*)$`)

// attempts is how often a question is put before we give up.
const attempts = 3

// interview looks at the service together with a person: what is open there,
// whether it wants a password, and which of its pages are theirs, unless the
// service knows that itself. The answers go into asked; with an error nothing
// has been kept.
func (s *session) interview(accounts Accounts, asked *control.NewAccount, secretGiven bool) error {
	if err := s.refuseTaken(accounts, *asked); err != nil {
		return err
	}
	kind, _ := serviceOf(asked.Provider)
	where := kind.place(asked.URL)
	if kind.secret != "" {
		if err := s.askCredential(kind, asked); err != nil {
			return err
		}
	}
	s.tell("Looking at " + where + " …")
	report, err := s.look(accounts, asked, secretGiven)
	if err != nil {
		return err
	}
	if !report.OK {
		s.tell(sentence(report.Error))
		if !asked.NoTest {
			s.tell(keptWords(asked.Name, false))
			return errNo
		}
		if !kind.matches {
			s.tell("It is kept all the same, as you asked with --no-test.")
			return nil
		}
		s.tell("It is kept all the same, as you asked with --no-test, and everything it lists will be taken as yours.")
		if asked.Secret == "" && !secretGiven {
			asked.Secret, err = s.await(func() (string, error) { return s.ReadSecret(secretPrompt(*asked)) })
		}
		return err
	}
	if !kind.matches {
		return nil // whose credential it is and what would ring is told when it is kept
	}
	s.listWouldRing(report.Open, s.tell)
	return s.askMine(asked, report.Receivers)
}

// askCredential asks for what the service tells nothing without.
func (s *session) askCredential(kind service, asked *control.NewAccount) error {
	if asked.Secret != "" {
		return nil
	}
	s.tell(kind.title + " wants your own " + kind.secret + ". " + kind.make)
	key, err := s.await(func() (string, error) { return s.ReadSecret(secretPrompt(*asked)) })
	if err == nil && key == "" {
		s.tell(keptWords(asked.Name, false))
		return errNo
	}
	asked.Secret = key
	return err
}

// refuseTaken spares somebody the questions if the name is in use.
func (s *session) refuseTaken(accounts Accounts, asked control.NewAccount) error {
	if asked.Replace {
		return nil
	}
	listed, err := accounts.ListAccounts(s.ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(listed, func(a control.Account) bool { return a.Name == asked.Name }) {
		return &control.RefusedError{Sentence: "There is an account “" + asked.Name + "” already. Choose another name, or change it with --replace. Nothing was changed."}
	}
	return nil
}

// look asks the service, and the person for a password if the service wants one.
func (s *session) look(accounts Accounts, asked *control.NewAccount, secretGiven bool) (control.AccountReport, error) {
	for try := 1; ; try++ {
		only := *asked
		only.OnlyLook, only.NoTest = true, false
		report, err := accounts.AddAccount(s.ctx, only)
		if err != nil || report.OK || !report.WantsSecret || secretGiven || try > attempts {
			return report, err
		}
		s.tell(sentence(report.Error))
		asked.Secret, err = s.await(func() (string, error) { return s.ReadSecret(secretPrompt(*asked)) })
		if err != nil {
			return report, err
		}
		if asked.Secret == "" {
			return report, nil
		}
	}
}

// askMine asks which pages are this person's.
func (s *session) askMine(asked *control.NewAccount, receivers []string) error {
	if len(receivers) > 0 {
		s.tell("It sends to these receivers:")
		for i, name := range receivers {
			s.tell(fmt.Sprintf("%d. %s", i+1, page.Plain(name, 100)))
		}
	}
	s.tell("Which pages are yours? Type the number of your receiver (or several), or a condition on a label such as team=\"db\", or only Enter for everything.")
	for range attempts {
		answer, err := s.ask("Mine: ")
		if err != nil {
			return err
		}
		receiver, filters, err := readMine(answer, receivers)
		if err == nil {
			asked.Receiver, asked.Filters = receiver, filters
			return nil
		}
		s.complain(err)
	}
	return &usageError{"It is still not clear which pages are yours. Nothing was changed."}
}

// ask puts a question to a person and reads one line. The end of the input is
// no answer.
func (s *session) ask(question string) (string, error) {
	fmt.Fprint(s.Err, question)
	return s.await(func() (string, error) {
		line, err := s.typed.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return "", errors.New("no answer came; nothing was changed")
		}
		return strings.TrimSpace(line), nil
	})
}

// readMine understands numbers and names of receivers, or conditions on labels.
// Both results are empty when everything is theirs.
func readMine(answer string, receivers []string) (receiver string, filters []string, err error) {
	if answer == "" {
		return "", nil, nil
	}
	if slices.Contains(receivers, answer) {
		return regexp.QuoteMeta(answer), nil, nil
	}
	filters = betweenCommas(answer)
	if !slices.ContainsFunc(filters, func(one string) bool { return !condition.MatchString(one) }) {
		return "", filters, nil
	}
	var chosen []string
	for _, word := range strings.FieldsFunc(answer, func(r rune) bool { return r == ' ' || r == ',' || r == ';' }) {
		number, err := strconv.Atoi(word)
		if err != nil || number < 1 || number > len(receivers) {
			return "", nil, fmt.Errorf("“%s” is neither the number of a receiver nor a condition such as team=\"db\"", page.Plain(word, 40))
		}
		if name := regexp.QuoteMeta(receivers[number-1]); !slices.Contains(chosen, name) {
			chosen = append(chosen, name)
		}
	}
	switch len(chosen) {
	case 0:
		return "", nil, errors.New("that names no receiver")
	case 1:
		return chosen[0], nil, nil
	}
	return "^(?:" + strings.Join(chosen, "|") + ")$", nil, nil
}

// betweenCommas splits at commas, but not inside quotes.
func betweenCommas(text string) []string {
	var parts []string
	begin, quoted, escaped := 0, false, false
	for i, r := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			parts = append(parts, strings.TrimSpace(text[begin:i]))
			begin = i + 1
		}
	}
	return append(parts, strings.TrimSpace(text[begin:]))
}
