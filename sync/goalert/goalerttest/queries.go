package goalerttest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// longestSpan is for how long GoAlert tells shifts.
const longestSpan = 50 * 24 * time.Hour

// query is what somebody can ask; an API key is nobody.
func (s *Server) query(who string) object {
	return object{
		"user": found(func(map[string]any) (any, *failure) {
			if who == "" {
				return nil, fieldFailure("UserID[0]", "must be valid UUID: format must be xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
			}
			return s.person(who), nil
		}),
		"alert": found(func(asked map[string]any) (any, *failure) {
			number, _ := strconv.Atoi(fmt.Sprint(asked["id"]))
			if one := s.find(strconv.Itoa(number)); one != nil {
				return s.tell(one), nil
			}
			return nil, nil
		}),
		"alerts": found(func(asked map[string]any) (any, *failure) { return s.search(input(asked), who) }),
		"services": found(func(asked map[string]any) (any, *failure) {
			var all []object
			for _, one := range s.services {
				if only := texts(input(asked)["only"]); len(only) == 0 || slices.Contains(only, identity(one.Name)) {
					all = append(all, s.service(one))
				}
			}
			return paged(all, input(asked))
		}),
		"users": found(func(asked map[string]any) (any, *failure) {
			var all []object
			for _, one := range s.people {
				all = append(all, s.person(one))
			}
			return paged(all, input(asked))
		}),
		"schedules": found(func(asked map[string]any) (any, *failure) {
			var all []object
			for _, name := range slices.Sorted(maps.Keys(s.schedules)) {
				all = append(all, s.schedule(name))
			}
			return paged(all, input(asked))
		}),
		"escalationPolicies": found(func(asked map[string]any) (any, *failure) {
			var all []object
			for _, one := range s.services {
				all = append(all, policy(one, slices.Sorted(maps.Keys(s.schedules))))
			}
			return paged(all, input(asked))
		}),
		"userOverrides": found(func(asked map[string]any) (any, *failure) { return paged(s.overrides, input(asked)) }),
	}
}

// search lists alerts. A cursor holds the whole search, so that what is asked
// for beside it makes no difference; what someone was paged for counts only
// beside a choice of services; and by date the second piece fails.
func (s *Server) search(asked map[string]any, who string) (any, *failure) {
	first := whole(asked["first"], 15)
	sort, _ := asked["sort"].(string)
	after, _ := asked["after"].(string)
	if first > 1000 {
		return nil, fieldFailure("First", "must not be over 1000")
	}
	if len(texts(asked["filterByServiceID"])) > 50 {
		return nil, fieldFailure("ServiceFilter", "must not be over 50")
	}
	if asked["favoritesOnly"] == true && who == "" {
		return nil, &failure{Message: "access denied"}
	}
	last := 0
	if after != "" {
		text, err := base64.StdEncoding.DecodeString(after)
		var cursor struct {
			Search map[string]any
			Last   int
		}
		if err != nil || json.Unmarshal(text, &cursor) != nil {
			return nil, fieldFailure("Cursor", "illegal base64 data at input byte 4")
		}
		if asked, last = cursor.Search, cursor.Last; asked["sort"] == "dateID" {
			return nil, &failure{Message: "unexpected error"}
		}
		sort, _ = asked["sort"].(string)
	}
	var chosen []*alert
	for _, one := range s.alerts {
		if one.id > 0 && matches(one, asked, who) {
			chosen = append(chosen, one)
		}
	}
	slices.SortStableFunc(chosen, func(a, b *alert) int {
		switch sort {
		case "dateIDReverse":
			return cmp.Compare(a.id, b.id)
		case "dateID":
			return cmp.Compare(b.id, a.id)
		}
		return cmp.Or(cmp.Compare(slices.Index(order, a.status), slices.Index(order, b.status)), cmp.Compare(b.id, a.id))
	})
	if last > 0 {
		at := slices.IndexFunc(chosen, func(one *alert) bool { return sort == "dateIDReverse" && one.id > last })
		if passed := slices.IndexFunc(chosen, func(one *alert) bool { return one.id == last }); sort != "dateIDReverse" && passed >= 0 {
			at = passed + 1
		}
		if at < 0 {
			at = len(chosen)
		}
		chosen = chosen[at:]
	}
	more := len(chosen) > first
	chosen = chosen[:min(first, len(chosen))]
	list, info := []object{}, object{"hasNextPage": more, "endCursor": nil}
	for _, one := range chosen {
		list = append(list, s.tell(one))
	}
	if len(chosen) > 0 {
		text, _ := json.Marshal(map[string]any{"Search": asked, "Last": chosen[len(chosen)-1].id})
		info["endCursor"] = base64.StdEncoding.EncodeToString(text)
	}
	return object{"nodes": list, "pageInfo": info}, nil
}

func matches(one *alert, asked map[string]any, who string) bool {
	if wanted := texts(asked["filterByStatus"]); len(wanted) > 0 && !slices.Contains(wanted, one.status) {
		return false
	}
	if asked["filterByServiceID"] == nil {
		return true
	}
	paged := asked["includeNotified"] == true && who != "" && slices.Contains(one.Paged, who)
	return paged || slices.Contains(texts(asked["filterByServiceID"]), identity(one.service.Name))
}

// tell is an alert as it is answered.
func (s *Server) tell(one *alert) object {
	told := object{
		"id": strconv.Itoa(one.id), "alertID": one.id, "status": one.status, "summary": one.Summary, "details": one.Details,
		"createdAt": stamp(one.created), "serviceID": identity(one.service.Name), "service": found(func(map[string]any) (any, *failure) { return s.service(one.service), nil }),
		"state": object(nil), "noiseReason": any(nil), "meta": pairs(one.Meta),
		"recentEvents": found(func(asked map[string]any) (any, *failure) {
			newest := slices.Clone(one.log)
			slices.Reverse(newest)
			return paged(newest, map[string]any{"first": input(asked)["limit"]})
		}),
	}
	if one.status != closed && !one.Fresh {
		told["state"] = object{"lastEscalation": stamp(one.escalated), "stepNumber": one.Step, "repeatCount": one.Repeats}
	}
	if one.Noise != "" {
		told["noiseReason"] = one.Noise
	}
	return told
}

func (s *Server) service(one *Setup) object {
	told := object{
		"id": identity(one.Name), "name": one.Name, "maintenanceExpiresAt": any(nil), "labels": pairs(one.Labels),
		"escalationPolicy": found(func(map[string]any) (any, *failure) { return policy(one, nil), nil }),
	}
	if one.Maintained.After(s.now()) {
		told["maintenanceExpiresAt"] = stamp(one.Maintained)
	}
	onCall := []object{}
	for step, people := range one.OnCall {
		for _, who := range people {
			onCall = append(onCall, object{"userID": identity(who), "userName": who, "stepNumber": step})
		}
	}
	told["onCallUsers"] = onCall
	return told
}

// policy names at its first step a schedule, where there is one, and people at
// the others.
func policy(one *Setup, schedules []string) object {
	steps := []object{}
	for step, delay := range one.Delays {
		actions := []object{}
		switch {
		case step == 0 && len(schedules) > 0:
			actions = append(actions, object{"type": "builtin-schedule", "args": map[string]string{"schedule_id": identity(schedules[0])}})
		case step < len(one.OnCall):
			for _, who := range one.OnCall[step] {
				actions = append(actions, object{"type": "builtin-user", "args": map[string]string{"user_id": identity(who)}})
			}
		}
		steps = append(steps, object{"stepNumber": step, "delayMinutes": delay, "actions": actions})
	}
	return object{"id": identity("policy of " + one.Name), "name": one.Name + " EP", "repeat": one.Repeat, "steps": steps}
}

func (s *Server) person(name string) object {
	assignments := []object{}
	for _, one := range s.services {
		for step, people := range one.OnCall {
			if slices.Contains(people, name) {
				assignments = append(assignments, object{"stepNumber": step, "serviceID": identity(one.Name), "serviceName": one.Name})
			}
		}
	}
	first := strings.ToLower(strings.Fields(name)[0])
	return object{
		"id": identity(name), "name": name, "email": first + "@example.org",
		"onCallOverview": object{"serviceCount": len(assignments), "serviceAssignments": assignments},
		"contactMethods": []object{
			{"name": "Mail", "disabled": false, "pending": false, "dest": object{"type": "builtin-smtp-email", "args": map[string]string{"email_address": first + "@example.org"}}},
			{"name": "Mobile", "disabled": true, "pending": true, "dest": object{"type": "builtin-twilio-sms", "args": map[string]string{"phone_number": "+15550100"}}},
			{"name": "Hook", "disabled": false, "pending": false, "dest": object{"type": "builtin-webhook", "args": map[string]string{"webhook_url": "https://hooks.example.org/secret"}}},
		},
	}
}

// schedule tells where a shift truly began, and cuts its end to the window.
func (s *Server) schedule(name string) object {
	return object{"id": identity(name), "name": name, "timeZone": "Europe/Berlin", "shifts": found(func(asked map[string]any) (any, *failure) {
		start, _ := time.Parse(time.RFC3339Nano, fmt.Sprint(asked["start"]))
		end, _ := time.Parse(time.RFC3339Nano, fmt.Sprint(asked["end"]))
		switch {
		case !end.After(start):
			return nil, fieldFailure("EndTime", "must be after StartTime")
		case end.Sub(start) > longestSpan:
			return nil, fieldFailure("EndTime", "cannot be more than 50 days past StartTime")
		}
		shifts := []object{}
		for _, one := range s.schedules[name] {
			if !one.Start.Before(end) || !one.End.After(start) {
				continue
			}
			told := object{"userID": identity(one.Who), "user": s.person(one.Who), "start": stamp(one.Start), "end": stamp(one.End), "truncated": false}
			if one.End.After(end) {
				told["end"], told["truncated"] = stamp(end.Truncate(time.Minute)), true
			}
			shifts = append(shifts, told)
		}
		return shifts, nil
	})}
}

// mutation is what somebody can do.
func (s *Server) mutation(who string) object {
	by := ""
	if who != "" {
		by = who + " (Web)"
	}
	return object{
		"updateAlerts": found(func(asked map[string]any) (any, *failure) {
			wanted := input(asked)
			status, _ := wanted["newStatus"].(string)
			if status != acknowledged && status != closed {
				return nil, fieldFailure("Status", "must be one of: StatusAcknowledged, StatusClosed")
			}
			var moved []object
			for _, id := range texts(wanted["alertIDs"]) {
				if one := s.find(id); s.advance(one, status, by) {
					one.applied = append(one.applied, map[string]string{acknowledged: "acknowledge", closed: "resolve"}[status])
					moved = append(moved, s.tell(one))
				}
			}
			return moved, nil
		}),
		"escalateAlerts": found(func(asked map[string]any) (any, *failure) {
			ids := texts(asked["input"])
			if len(ids) != 1 {
				return nil, fieldFailure("AlertIDs", "must not be over 1")
			}
			switch one := s.find(ids[0]); {
			case one == nil:
				return nil, &failure{Message: "alert not found"}
			case one.status == closed:
				return nil, &failure{Message: "alert is already closed"}
			case one.service.Maintained.After(s.now()):
				return nil, &failure{Message: "service is in maintenance mode"}
			default:
				s.escalate(one, who)
				one.applied = append(one.applied, "escalate")
				return []object{s.tell(one)}, nil
			}
		}),
	}
}

func input(asked map[string]any) map[string]any {
	told, _ := asked["input"].(map[string]any)
	return told
}

// paged cuts a list into pieces; its cursor is a place in it.
func paged(all []object, asked map[string]any) (any, *failure) {
	from := 0
	if after, _ := asked["after"].(string); after != "" {
		from, _ = strconv.Atoi(after)
	}
	from = min(from, len(all))
	to := min(from+whole(asked["first"], 15), len(all))
	return object{
		"nodes":    append([]object{}, all[from:to]...),
		"pageInfo": object{"hasNextPage": to < len(all), "endCursor": strconv.Itoa(to)},
	}, nil
}

func pairs(values map[string]string) []object {
	all := []object{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, object{"key": name, "value": values[name]})
	}
	return all
}

// texts are the entries of a list, numbers among them, as text.
func texts(list any) []string {
	entries, _ := list.([]any)
	var all []string
	for _, one := range entries {
		all = append(all, fmt.Sprint(one))
	}
	return all
}

func whole(number any, otherwise int) int {
	read, err := strconv.Atoi(fmt.Sprint(number))
	if err != nil || read == 0 {
		return otherwise
	}
	return read
}
