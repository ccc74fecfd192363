package pagerduty

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// Who is on call is asked no oftener than this for one escalation policy,
	// for so many policies in one poll, and for no longer than this: a page must
	// not wait for the name of whoever would be next.
	onCallsEvery   = 5 * time.Minute
	policiesAtOnce = 4
	onCallsWithin  = time.Second
	// It is asked for so long before and after now. Who was given a page
	// earlier, or hands it on later, has nobody next that we could name.
	onCallsAround = 12 * time.Hour
)

// ladder is who is on call at each level of one escalation policy. It is
// without shifts where that could not be read.
type ladder struct {
	asked        time.Time // by our own clock, whatever came of it
	since, until time.Time // by PagerDuty's, what the shifts cover
	shifts       []shift
}

// shift is somebody who is on call at one level. A zero start or end is none:
// whoever a policy names without a schedule is on call permanently.
type shift struct {
	who        user
	level      int
	start, end time.Time
}

func (s shift) covers(at time.Time) bool {
	return !s.start.After(at) && (s.end.IsZero() || s.end.After(at))
}

// readOnCalls asks who is on call for the policies whose incidents will be
// handed on. Without an answer nobody is named, and it is not asked again
// sooner for that.
func (p *Provider) readOnCalls(ctx context.Context, incidents []*incident, at time.Time) {
	ctx, cancel := context.WithTimeout(ctx, onCallsWithin)
	defer cancel()
	now := p.now()
	if at.IsZero() {
		at = now.UTC()
	}
	var wanted []string
	p.mutex.Lock()
	maps.DeleteFunc(p.ladders, func(_ string, l ladder) bool { return now.Sub(l.asked) >= onCallsEvery })
	for _, one := range incidents {
		_, told := p.ladders[one.Policy.ID]
		if !told && validID(one.Policy.ID) && !one.escalatesAt().IsZero() && !slices.Contains(wanted, one.Policy.ID) {
			wanted = append(wanted, one.Policy.ID)
		}
	}
	p.mutex.Unlock()
	for _, id := range wanted[:min(len(wanted), policiesAtOnce)] {
		if ctx.Err() != nil {
			return // not asked, so it is in the next poll
		}
		told := ladder{asked: now, since: at.Add(-onCallsAround), until: at.Add(onCallsAround)}
		var err error
		told.shifts, err = p.onCalls(ctx, id, told.since, told.until)
		p.mutex.Lock()
		p.ladders[id] = told
		p.mutex.Unlock()
		if err != nil {
			p.log.Warn("who is on call could not be read", "account", p.options.Account, "policy", id, "error", err)
			return
		}
	}
}

// onCalls reads everybody who is on call for one policy. An answer of which
// anything is missing or odd tells nothing: a name must never be a guess.
func (p *Provider) onCalls(ctx context.Context, policy string, since, until time.Time) ([]shift, error) {
	if !validID(policy) {
		return nil, p.client.nonsense("an incident without an escalation policy")
	}
	var answer struct {
		OnCalls []*onCall `json:"oncalls"`
		More    *bool     `json:"more"`
	}
	_, err := p.client.get(ctx, "/oncalls", url.Values{
		"escalation_policy_ids[]": {policy}, "include[]": {"users"}, "limit": {"100"},
		"since": {stamp(since)}, "until": {stamp(until)},
		"time_zone": {"UTC"}, // or it is the account's
	}, &answer)
	switch {
	case err != nil:
		return nil, err
	case answer.OnCalls == nil, answer.More == nil || *answer.More:
		return nil, p.client.nonsense("on-calls that are not all there")
	}
	var shifts []shift
	for _, one := range answer.OnCalls {
		if one == nil || one.Policy.ID != policy {
			return nil, p.client.nonsense("an on-call of another policy")
		}
		start, startKnown := one.bound(one.Start)
		end, endKnown := one.bound(one.End)
		if !validID(one.User.ID) || one.Level < 1 || !startKnown || !endKnown {
			return nil, p.client.nonsense("an on-call without a user, a level or a time")
		}
		shifts = append(shifts, shift{one.User, one.Level, start, end})
	}
	return shifts, nil
}

// next names whoever an incident goes to when it is handed on, and nobody
// where that is not certain. Those who have it must stand on one level and on
// no other; it goes to all who are on call at the level above when its time
// comes. After the last level a policy may begin anew, but not how often it
// has done so already is told, so nobody is named there.
func (l ladder) next(one *incident) string {
	at := one.escalatesAt()
	if at.IsZero() || at.After(l.until) || one.Via == "direct_assignment" {
		return ""
	}
	level := 0
	for _, given := range one.Assignments {
		since := readTime(given.At)
		found := false
		for _, s := range l.shifts {
			if s.who.ID != given.Assignee.ID || !s.covers(since) {
				continue
			}
			if level != 0 && s.level != level {
				return ""
			}
			level, found = s.level, true
		}
		if !found || since.Before(l.since) {
			return ""
		}
	}
	var people []string
	for _, s := range l.shifts {
		if s.level != level+1 || !s.covers(at) {
			continue
		}
		name := s.who.called()
		if name == "" {
			return ""
		}
		if !slices.Contains(people, name) {
			people = append(people, name)
		}
	}
	if level == 0 || len(people) == 0 {
		return ""
	}
	slices.Sort(people) // the order of the answer means nothing
	last := len(people) - 1
	if last == 0 {
		return people[0]
	}
	return fmt.Sprintf("%s and %s", strings.Join(people[:last], ", "), people[last])
}
