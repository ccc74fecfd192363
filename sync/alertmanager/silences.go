package alertmanager

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"nightstand/app/page"
)

// A silence of ours says in its comment which firing it acknowledges. Neither
// the alert's state nor any clock could tell: a silence with all labels of one
// alert also holds for an alert with one label more, and for its next firing.
var marker = regexp.MustCompile(`\[nightstand:([^\]\s]+@[^\]\s]+)\]`)

func commentFor(user, firing string) string {
	return fmt.Sprintf("Acknowledged by %s in Nightstand [nightstand:%s]", user, firing)
}

func snoozeComment(user, firing string) string {
	return fmt.Sprintf("Snoozed by %s in Nightstand [nightstand:%s]", user, firing)
}

// acknowledges is the firing a silence stands for, empty when it is nobody's
// acknowledgement.
func (s silence) acknowledges() string {
	// The last one counts: what stands before it may be a name with brackets.
	if found := marker.FindAllStringSubmatch(s.Comment, -1); found != nil {
		return found[len(found)-1][1]
	}
	return ""
}

// silenceBook is what we know of the silences that hold, by id. It is never
// changed once others can see it.
type silenceBook struct {
	active      map[string]silence
	unexplained map[string]bool // ids that alerts name and the server does not list
	readAt      time.Time
}

// explains says that the book knows every silence the alerts name; with again
// set, ids that were looked for in vain are worth another look.
func (b silenceBook) explains(list *listing, again bool) bool {
	for _, a := range list.alerts {
		for _, id := range a.Status.SilencedBy {
			if _, known := b.active[id]; !known && (again || !b.unexplained[id]) {
				return false
			}
		}
	}
	return true
}

// ours tells the acknowledgements made under this account's name.
func (p *Provider) ours(s silence) bool {
	return s.CreatedBy == p.options.User && s.acknowledges() != ""
}

// readSilences lists the silences and keeps those that hold.
func (p *Provider) readSilences(ctx context.Context) (silenceBook, error) {
	var listed []silence
	if _, err := p.client.get(ctx, "silences", nil, &listed); err != nil {
		return silenceBook{}, err
	}
	if listed == nil {
		return silenceBook{}, p.client.nonsense(errors.New("null instead of a list of silences"))
	}
	book := silenceBook{active: map[string]silence{}, unexplained: map[string]bool{}, readAt: p.now()}
	for _, one := range listed {
		if one.ID != "" && one.active() {
			book.active[one.ID] = one
		}
	}
	return book, nil
}

// judge puts on the page what the silences and inhibitions of its alert mean:
// acknowledged by somebody, kept quiet by the team, or neither. Whatever
// cannot be explained rings.
func (p *Provider) judge(got *page.Page, a *alert, book silenceBook, names map[string]string) {
	var answer, mute silence
	var expires time.Time
	for _, id := range a.Status.SilencedBy {
		one, found := book.active[id]
		if !found {
			continue
		}
		switch firing := one.acknowledges(); {
		case firing == "":
			if mute.ID == "" || readTime(one.EndsAt).After(readTime(mute.EndsAt)) {
				mute = one
			}
		case firing == a.firing:
			if answer.ID == "" || p.sooner(one, answer) {
				answer = one
			}
			if ends := readTime(one.EndsAt); ends.After(expires) {
				expires = ends
			}
		}
	}
	if answer.ID != "" {
		got.Status = page.Acknowledged
		got.AcknowledgedBy = plain(answer.CreatedBy, maxLabel)
		got.AcknowledgedByMe = answer.CreatedBy == p.options.User
		got.AcknowledgedAt = readTime(answer.StartsAt)
		got.AckExpiresAt = expires
	}
	switch {
	case mute.ID != "":
		got.MutedBy = p.muteWords(mute)
	case len(a.Status.InhibitedBy) > 0:
		got.MutedBy = "held back because another alert explains it"
		if cause := plain(names[a.Status.InhibitedBy[0]], maxLabel); cause != "" {
			got.MutedBy += ": " + cause
		}
	case len(a.Status.MutedBy) > 0:
		got.MutedBy = "kept quiet by the time interval " + plain(strings.Join(a.Status.MutedBy, ", "), maxLabel)
	}
}

// sooner prefers our own acknowledgement, then the earlier one.
func (p *Provider) sooner(a, b silence) bool {
	if mine, theirs := a.CreatedBy == p.options.User, b.CreatedBy == p.options.User; mine != theirs {
		return mine
	}
	return readTime(a.StartsAt).Before(readTime(b.StartsAt))
}

func (p *Provider) muteWords(s silence) string {
	words := "silenced"
	if by := plain(s.CreatedBy, maxLabel); by != "" {
		words += " by " + by
	}
	if ends := readTime(s.EndsAt); !ends.IsZero() {
		form := "15:04 UTC"
		if ends.Sub(p.client.serverNow()) > 20*time.Hour {
			form = "2 January 2006, 15:04 UTC"
		}
		words += " until " + ends.Format(form)
	}
	if why := plain(s.Comment, maxLabel); why != "" {
		words += ": " + why
	}
	return words
}
