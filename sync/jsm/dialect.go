package jsm

import (
	"encoding/json"
	"net/url"

	"nightstand/app/page"
)

// Dialect is one of the two services.
type Dialect string

// The dialects.
const (
	JSM      Dialect = "jsm"
	Opsgenie Dialect = "opsgenie"
)

// dialect is everything in which the two services differ.
type dialect struct {
	name string
	// ops and jira begin the paths of the service itself and of the Jira it
	// belongs to; Opsgenie belongs to none.
	ops, jira string
	// whoAmI are the paths that tell whose credential it is; the next one is
	// asked where one is not allowed.
	whoAmI []string
	// signed says that the credential belongs to nobody, so that each change
	// says in whose name it is made, and carries its own note.
	signed bool
	// frame is the field in which an answer holds its list; wrapped says that
	// single things are in it too.
	frame   string
	wrapped bool
	// size names the number of entries in one piece, schedules how many of
	// them there are of schedules at most, and sort the order in which new
	// alerts come last.
	size, sort string
	schedules  string
	// contacts, teams and escalations are paths behind ops, the last one of the
	// policies of a team or of all; a service without teams lists none.
	contacts, teams string
	escalations     func(team string) string
	// older names the cursor of notes and logs.
	older string
	// assign, bringIn and escalate are the bodies of these changes.
	assign, bringIn func(page.Person) map[string]any
	escalate        func(policy string) map[string]any

	credentialAdvice string
}

func jiraServiceManagement(ops, cloud string) dialect {
	jira := "/ex/jira/" + cloud
	return dialect{
		name: "Jira Service Management", ops: ops + "/v1", jira: jira,
		whoAmI: []string{jira + "/rest/api/3/myself", "/me"},
		frame:  "values", size: "size", sort: "insertedAt", schedules: "50", older: "after",
		contacts: "/users/contacts", teams: "/teams",
		escalations: func(team string) string { return "/teams/" + url.PathEscape(team) + "/escalations" },
		assign:      func(to page.Person) map[string]any { return map[string]any{"accountId": to.ID} },
		bringIn:     func(who page.Person) map[string]any { return map[string]any{"id": who.ID, "type": "user"} },
		escalate:    func(policy string) map[string]any { return map[string]any{"escalationId": policy} },
		credentialAdvice: "Check the e-mail address, and create a new API token at id.atlassian.com if it has run out. " +
			"A token with scopes needs " + scopes + ".",
	}
}

func opsgenie(user string) dialect {
	return dialect{
		name: "Opsgenie", ops: "/v2", whoAmI: []string{"/v2/users/" + url.PathEscape(user)}, signed: true,
		frame: "data", wrapped: true, size: "limit", sort: "createdAt", schedules: "100", older: "offset",
		contacts:    "/users/" + url.PathEscape(user) + "/contacts",
		escalations: func(string) string { return "/escalations" },
		assign:      func(to page.Person) map[string]any { return map[string]any{"owner": person(to)} },
		bringIn: func(who page.Person) map[string]any {
			responder := person(who)
			responder["type"] = "user"
			return map[string]any{"responder": responder}
		},
		escalate: func(policy string) map[string]any {
			return map[string]any{"escalation": map[string]any{"id": policy}}
		},
		credentialAdvice: "It must be the key of an API integration that may create, update and read, and of the right region.",
	}
}

// person names somebody to Opsgenie, where an address is a user name.
func person(who page.Person) map[string]any {
	if who.Email != "" {
		return map[string]any{"username": who.Email}
	}
	return map[string]any{"id": who.ID}
}

// rows takes the list out of an answer, and the address of the next piece,
// which is empty after the last.
func (d dialect) rows(body json.RawMessage) (rows json.RawMessage, next string) {
	var around struct {
		Links, Paging struct {
			Next string `json:"next"`
		}
	}
	if decode(body, &around) != nil {
		return nil, ""
	}
	next = around.Links.Next
	if around.Paging.Next != "" {
		next = around.Paging.Next
	}
	return field(body, d.frame), next
}

// thing takes a single thing out of an answer.
func (d dialect) thing(body json.RawMessage) json.RawMessage {
	if d.wrapped {
		return field(body, d.frame)
	}
	return body
}

func field(body json.RawMessage, name string) json.RawMessage {
	var fields map[string]json.RawMessage
	if decode(body, &fields) != nil {
		return nil
	}
	return fields[name]
}
