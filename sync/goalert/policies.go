package goalert

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// How a service escalates is asked no oftener than this, and for no longer
	// than this in one poll: a page must not wait for the name of whoever would
	// be next.
	policiesEvery  = 5 * time.Minute
	policiesWithin = 2 * time.Second
	// After a failure it is asked again sooner.
	policiesAgain = 30 * time.Second
)

// policy is how the alerts of one service are escalated, and who is on call at
// each step now. It is not read where that could not be told.
type policy struct {
	asked  time.Time // by our own clock, whatever came of it
	read   bool
	repeat int // how often the policy begins anew after its last step
	delays map[int]time.Duration
	people map[int][]string
	labels []*pair
}

// readPolicies asks how the services of these alerts escalate.
func (p *Provider) readPolicies(ctx context.Context, alerts []*alert) {
	ctx, cancel := context.WithTimeout(ctx, policiesWithin)
	defer cancel()
	now := p.now()
	var wanted []string
	p.mutex.Lock()
	maps.DeleteFunc(p.policies, func(_ string, one policy) bool { return now.Sub(one.asked) >= policiesEvery })
	for _, one := range alerts {
		_, told := p.policies[one.service()]
		if id := one.service(); !told && id != "" && !slices.Contains(wanted, id) {
			wanted = append(wanted, id)
		}
	}
	p.mutex.Unlock()
	if len(wanted) == 0 {
		return
	}
	wanted = wanted[:min(len(wanted), mostServices)]
	told, err := p.askPolicies(ctx, wanted, now)
	if err != nil {
		p.log.Warn("how alerts escalate could not be read", "account", p.options.Account, "error", err)
		told = map[string]policy{}
		for _, id := range wanted {
			told[id] = policy{asked: now.Add(policiesAgain - policiesEvery)}
		}
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	maps.Copy(p.policies, told)
}

func (p *Provider) askPolicies(ctx context.Context, services []string, now time.Time) (map[string]policy, error) {
	var answer struct {
		Services struct {
			Nodes []*serviceTold `json:"nodes"`
		} `json:"services"`
	}
	_, err := p.ask(ctx, question{
		operation: "Policies", document: operationPolicies, aside: true,
		variables: map[string]any{"services": map[string]any{"first": mostServices, "only": services}},
	}, &answer)
	if err != nil {
		return nil, err
	}
	told := map[string]policy{}
	for _, id := range services {
		told[id] = policy{asked: now}
	}
	for _, one := range answer.Services.Nodes {
		if one == nil {
			continue
		}
		if _, wanted := told[one.ID]; wanted {
			told[one.ID] = one.policy(now)
		}
	}
	return told, nil
}

// serviceTold is a service with its escalation policy as GoAlert tells it.
type serviceTold struct {
	ID     string  `json:"id"`
	Labels []*pair `json:"labels"`
	OnCall []*struct {
		Name string `json:"userName"`
		Step *int   `json:"stepNumber"`
	} `json:"onCallUsers"`
	Policy *struct {
		Repeat *int `json:"repeat"`
		Steps  []*struct {
			Number *int `json:"stepNumber"`
			Delay  *int `json:"delayMinutes"`
		} `json:"steps"`
	} `json:"escalationPolicy"`
}

// policy reads it whole, or it is not read: a name and a time must never be a
// guess.
func (s *serviceTold) policy(now time.Time) policy {
	told := policy{asked: now, delays: map[int]time.Duration{}, people: map[int][]string{}, labels: s.Labels}
	if s.Policy == nil || s.Policy.Repeat == nil || s.Policy.Steps == nil || s.OnCall == nil {
		return told
	}
	told.repeat = *s.Policy.Repeat
	for _, step := range s.Policy.Steps {
		if step == nil || step.Number == nil || step.Delay == nil {
			return told
		}
		told.delays[*step.Number] = time.Duration(*step.Delay) * time.Minute
	}
	for _, one := range s.OnCall {
		if one == nil || one.Step == nil || plain(one.Name, maxName) == "" {
			return told
		}
		told.people[*one.Step] = append(told.people[*one.Step], plain(one.Name, maxName))
	}
	told.read = true
	return told
}

// handing is when an alert goes to somebody else, and to whom.
type handing struct {
	at       time.Time
	to       string
	handedOn bool
}

// next says when an alert goes on to the next step and who is on call there
// now; GoAlert tells neither of an alert, but both follow from its policy. What
// is not known is handed on.
func (k policy) next(one *alert) handing {
	step, known := one.step()
	if !k.read || !known || one.State.Repeats == nil {
		return handing{handedOn: true}
	}
	delay, there := k.delays[step]
	if !there {
		return handing{handedOn: true} // the policy was changed meanwhile
	}
	to := step + 1
	if _, more := k.delays[to]; !more {
		if to = 0; *one.State.Repeats >= k.repeat {
			return handing{} // that was the last step of the last round
		}
	}
	next := handing{to: joined(k.people[to]), handedOn: true}
	if since := readTime(one.State.LastEscalation); !since.IsZero() {
		next.at = since.Add(delay)
	}
	return next
}

// atStep names those who are on call at the step to which an alert has come.
func (k policy) atStep(one *alert) string {
	step, known := one.step()
	if !k.read || !known {
		return ""
	}
	return strings.Join(sorted(k.people[step]), ", ")
}

// joined puts names into a sentence. Their order in an answer means nothing.
func joined(people []string) string {
	people = sorted(people)
	last := len(people) - 1
	if last < 1 {
		return strings.Join(people, "")
	}
	return fmt.Sprintf("%s and %s", strings.Join(people[:last], ", "), people[last])
}

func sorted(people []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(people)))
}
