package jsm

import (
	"context"
	"fmt"
	"net/url"

	"nightstand/app/page"
	"nightstand/sync/provider"
)

// Test asks the service whose credential this is and what would ring now. An
// account that may see nothing gets an empty list here and no error, so it is
// asked around why a list is empty.
func (p *Provider) Test(ctx context.Context) (provider.Introduction, error) {
	p.forgetMe()
	snapshot, err := p.Open(ctx)
	if err != nil {
		return provider.Introduction{}, err
	}
	me, err := p.me(ctx)
	if err != nil {
		return provider.Introduction{}, err
	}
	told := provider.Introduction{User: me.called(), Service: p.dialect.name, Open: snapshot.Pages, Notes: p.remarks(me)}
	if len(told.Open) == 0 {
		told.Notes = append(told.Notes, p.whyEmpty(ctx))
	}
	told.Lacks = p.lacks(ctx, me)
	return told, nil
}

func (p *Provider) remarks(me user) []string {
	var notes []string
	if p.dialect.signed {
		notes = append(notes,
			"Opsgenie ends on 5 April 2027, its interface too. Move to Jira Service Management before, and add the account again as jsm; 120 days after moving, Opsgenie is switched off for you.",
			fmt.Sprintf("An Opsgenie key belongs to nobody. Nightstand acts as %s because you said so; check the spelling.", page.Plain(p.options.User, maxName)),
			"Only the key of an API integration can acknowledge. One from “API key management” reads alerts and is refused when you answer; one of a team sees that team alone.")
	} else {
		notes = append(notes, fmt.Sprintf("The API token belongs to %s (%s), and acknowledgements carry this name.", me.called(), page.Plain(me.address(), maxName)))
	}
	if p.options.Query != "" {
		notes = append(notes, "Everything that your own search finds is taken as yours: "+page.Plain(p.options.Query, page.MaxTitle)+".")
	} else {
		notes = append(notes, "Open alerts that name you as owner or responder ring. If alerts of your team that name nobody should ring as well, give the account a search of your own.")
	}
	return append(notes, "An alert to which nobody gave a priority is P3 here, and so is taken for the loss of a minor function.")
}

// whyEmpty says what an empty list means.
func (p *Provider) whyEmpty(ctx context.Context) string {
	others, _, _, err := p.piece(ctx, "status:open", 0, 1)
	switch {
	case err != nil:
		return "Nothing would ring now. Whether that is because nothing is open could not be found out: " + provider.Sentence(err)
	case len(others) > 0:
		return "Nothing would ring now, but alerts are open that you may see. If one of them is yours, give the account a search of your own that finds it."
	}
	return "Nothing would ring now. " + p.dialect.name + " shows no open alert at all to this credential: either none is open, or it may not see those of your team. Make sure of that with a test alert."
}

// lacks asks for what only some credentials may see.
func (p *Provider) lacks(ctx context.Context, me user) []string {
	var lacks []string
	if me.id() == "" {
		lacks = append(lacks, fmt.Sprintf("Nobody called %s is shown to this key. Either that is not your user name, or the key may not look at the configuration; then a page that is given to somebody else is noticed later, and nobody's contacts are shown.", page.Plain(p.options.User, maxName)))
	}
	if p.dialect.teams != "" {
		teams, err := p.teams(ctx)
		switch {
		case err != nil:
			lacks = append(lacks, "Your teams could not be read, so nobody can tell whether their alerts are visible: "+provider.Sentence(err))
		case teams == 0:
			lacks = append(lacks, "You are in no team that this credential may see. Alerts of a team that you may not see are left out without a word; ask to be added to your team's operations.")
		}
	}
	if _, err := readAll[*schedule](ctx, p, p.dialect.ops+"/schedules", url.Values{p.dialect.size: {p.dialect.schedules}}, "offset"); err != nil {
		lacks = append(lacks, "Who is on call could not be read: "+provider.Sentence(err))
	}
	if p.dialect.jira != "" {
		if _, _, err := p.get(ctx, p.dialect.jira+"/rest/api/3/user/bulk", url.Values{"accountId": {me.id()}}); err != nil {
			lacks = append(lacks, "The names of other people could not be read: "+provider.Sentence(err))
		}
	}
	return lacks
}

// teams counts the teams that this user may see.
func (p *Provider) teams(ctx context.Context) (int, error) {
	body, _, err := p.get(ctx, p.dialect.ops+p.dialect.teams, nil)
	if err != nil {
		return 0, err
	}
	var told struct {
		Teams []struct{} `json:"platformTeams"`
	}
	if decode(body, &told) != nil {
		return 0, p.nonsense("no teams")
	}
	return len(told.Teams), nil
}
