package alertmanager

import (
	"context"
	"time"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// LongestSnooze bounds what the server would not: a silence holds for the whole
// team, and outlives its alert where nobody's Nightstand is there to end it.
const LongestSnooze = 24 * time.Hour

// instead says of each deed that an Alertmanager does not know what does it there.
var instead = map[provider.Deed]string{
	provider.Resolve:  "An Alertmanager resolves an alert by itself as soon as its cause is gone. Mend the cause, or snooze the page until you have.",
	provider.Escalate: "An Alertmanager knows nobody to escalate to. Call the secondary yourself.",
	provider.Reassign: "An Alertmanager assigns alerts to nobody. Call whoever should have it, and take your acknowledgement back when they are there.",
	provider.Note:     "An Alertmanager keeps no notes on an alert. Write it where your team looks.",
}

// Do snoozes: it acknowledges with a silence that ends when the snooze does, or
// lets the acknowledgement there is end then. What sleeps until then already is
// left as it is, so that nothing is done twice. There are no other deeds here.
func (p *Provider) Do(ctx context.Context, wanted page.Page, errand provider.Errand) (page.Page, error) {
	if errand.Deed != provider.Snooze {
		sentence, known := instead[errand.Deed]
		if !known {
			sentence = "An Alertmanager knows only silences, so this cannot be done there. Do it where your team would."
		}
		return page.Page{}, &provider.Error{Kind: provider.Invalid, Sentence: sentence, Cause: provider.ErrUnsupported}
	}
	switch lasts := errand.Until.Sub(p.client.serverNow()); {
	case lasts <= 0:
		return page.Page{}, web.Invalid("The time until which you wanted the page to sleep is over, so nothing was sent. Snooze it again with a later time.")
	case lasts > LongestSnooze:
		return page.Page{}, web.Invalid("A snooze at an Alertmanager silences the alert for the whole team, so it can last " + inWords(LongestSnooze) + " at most, and nothing was sent. Choose an earlier time, or make a silence at its own page.")
	}
	answer := p.quietAll(ctx, []page.Page{wanted}, errand.Until.UTC())[0]
	return answer.After, answer.Err
}
