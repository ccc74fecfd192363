package goalert

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightstand/sync/web"
)

const (
	// The logs of so many alerts are read in one request; GoAlert breaks off at
	// a hundred queries of its own.
	logsInOne = 25
	// So many alerts are asked who has them in one poll, and for no longer than
	// this: a page must not wait for a name.
	answersAtOnce = 20
	answersWithin = 2 * time.Second
)

// read looks at alerts afresh, with their logs. What GoAlert does not know is
// missing in the answer.
func (p *Provider) read(ctx context.Context, ids ...string) (map[string]*alert, error) {
	all := map[string]*alert{}
	most := logsInOne
	if p.key.given() {
		most = 1 // a key has one operation for one alert
	}
	for some := range slices.Chunk(ids, most) {
		told := map[string]*alert{}
		q, err := p.lookAt(some)
		if err != nil {
			return nil, err
		}
		if _, err := p.ask(ctx, q, &told); err != nil {
			return nil, err
		}
		for _, id := range some {
			one, asked := told["a"+id], "a"+id
			if len(some) == 1 {
				one, asked = told["alert"], "alert"
			}
			if _, answered := told[asked]; !answered || one != nil && one.identity() != id {
				return nil, p.nonsense("not the alert that was asked for")
			}
			if one != nil {
				all[id] = one
			}
		}
	}
	return all, nil
}

// lookAt asks for one alert in the words of KeyDocument, and for several each
// under a name of its own.
func (p *Provider) lookAt(ids []string) (question, error) {
	var several strings.Builder
	for _, id := range ids {
		number, err := readID(id)
		if err != nil {
			return question{}, web.Invalid("This page has no number that GoAlert could know, so it cannot be asked about. Look for it in GoAlert itself.")
		}
		if len(ids) == 1 {
			return question{
				operation: "Look", document: operationLook + fragmentAlert + fragmentLog,
				variables: map[string]any{"id": number},
			}, nil
		}
		fmt.Fprintf(&several, "  a%d: alert(id: %d) { ...Alert ...Log }\n", number, number)
	}
	return question{operation: "Several", document: "query Several {\n" + several.String() + "}\n" + fragmentAlert + fragmentLog}, nil
}

// answered is who acknowledged an alert, and as of which state of it.
type answered struct {
	state string
	by    string // empty for an API key, which has no name
	at    time.Time
}

func (a *alert) state() string { return a.Status + "/" + a.escalated() }

// readAnswers asks who has acknowledged the alerts of which that is not known:
// it stands in their logs only. What fails is tried at the next poll.
func (p *Provider) readAnswers(ctx context.Context, alerts []*alert) {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	var unknown []string
	p.mutex.Lock()
	for _, one := range alerts {
		told, asked := p.answers[one.identity()]
		if one.Status == statusAcknowledged && (!asked || told.state != one.state()) {
			unknown = append(unknown, one.identity())
		}
	}
	p.mutex.Unlock()
	told, err := p.read(ctx, unknown[:min(len(unknown), answersAtOnce)]...)
	if err != nil {
		p.log.Warn("who acknowledged could not be read", "account", p.options.Account, "error", err)
		return
	}
	for _, one := range told {
		p.keepAnswer(one)
	}
}

// keepAnswer remembers who acknowledged an alert, if its log tells.
func (p *Provider) keepAnswer(one *alert) {
	told, found := one.answer()
	if !found {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.answers[one.identity()] = told
}

// answer reads who acknowledged an alert from the latest line that says so. No
// field tells it (measured on GoAlert after 0.34.1).
func (a *alert) answer() (told answered, found bool) {
	if a.Log == nil || a.Status != statusAcknowledged {
		return answered{}, false
	}
	for _, line := range a.Log.Nodes {
		if line == nil || !strings.HasPrefix(line.Message, "Acknowledged") {
			continue
		}
		if at := readTime(line.At); !found || at.After(told.at) {
			told, found = answered{state: a.state(), by: line.who(), at: at}, true
		}
	}
	return told, found
}

// who is the name in a line of the log such as “Closed by Anna Berger (Web)”;
// empty where none stands there, as with API keys.
func (e *entry) who() string {
	_, name, found := strings.Cut(e.Message, " by ")
	if !found {
		return ""
	}
	name = strings.TrimSpace(name)
	if strings.HasSuffix(name, ")") {
		if way := strings.LastIndex(name, "("); way > 0 {
			name = name[:way]
		}
	}
	return plain(name, maxName)
}
