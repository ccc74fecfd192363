package goalerttest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"nightstand/sync/goalert/goalerttest"
)

// told is an answer with a list of alerts.
type told struct {
	Errors []struct{ Message string }
	Data   *struct {
		Alerts struct {
			Nodes    []struct{ AlertID int }
			PageInfo struct {
				EndCursor   string
				HasNextPage bool
			}
		}
	}
}

// TestTheTrapsAreSet holds the fake to what a real GoAlert does to those who
// trust it.
func TestTheTrapsAreSet(t *testing.T) {
	server, cookie := lab(t)
	server.Serve(goalerttest.Setup{Name: "Bens", OnCall: [][]string{{goalerttest.Ben}}, Delays: []int{5}})
	server.Trigger(goalerttest.Alert{Summary: "Of others", Service: "Bens"})
	list := func(input string) (got told, numbers string) {
		body := fmt.Sprintf(`{"query":"query($i:AlertSearchOptions){alerts(input:$i){nodes{alertID} pageInfo{endCursor hasNextPage}}}","operationName":"","variables":{"i":%s}}`, input)
		if err := json.Unmarshal(ask(server, []byte(body), cookie).Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Data != nil {
			for _, one := range got.Data.Alerts.Nodes {
				numbers += fmt.Sprint(one.AlertID)
			}
		}
		return got, numbers
	}
	if _, all := list(`{"includeNotified":true}`); all != "653124" {
		t.Errorf("what paged me, without a choice of services, is everything: %s", all)
	}
	if _, mine := list(`{"includeNotified":true,"filterByServiceID":["00000000-0000-0000-0000-000000000000"]}`); mine != "3124" {
		t.Errorf("what paged me: %s", mine)
	}
	if _, none := list(`{"filterByServiceID":[]}`); none != "" {
		t.Errorf("of no service: %s", none)
	}
	for sort, pieces := range map[string][2]string{"statusID": {"65", "31"}, "dateIDReverse": {"12", "34"}, "dateID": {"65", ""}} {
		first, one := list(`{"first":2,"sort":"` + sort + `"}`)
		after := first.Data.Alerts.PageInfo.EndCursor
		second, two := list(`{"first":2,"sort":"` + sort + `","after":"` + after + `","filterByStatus":["StatusClosed"]}`)
		if one != pieces[0] || two != pieces[1] || (len(second.Errors) > 0) != (sort == "dateID") {
			t.Errorf("%s: %s, then %s, %v", sort, one, two, second.Errors)
		}
	}
	for range 100 {
		server.Page("One more")
	}
	body := ask(server, []byte(`{"query":"{alerts(input:{first:100}){nodes{recentEvents(input:{limit:1}){nodes{message}}}}}"}`), cookie).Body.String()
	if !strings.Contains(body, "external call limit") || !strings.Contains(body, `"data":null`) {
		t.Errorf("a hundred logs in one request: %.200s", body)
	}
}
