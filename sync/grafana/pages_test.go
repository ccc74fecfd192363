package grafana_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nightstand/app/page"
	"nightstand/sync/grafana"
	"nightstand/sync/grafana/grafanatest"
)

func TestAPageTellsAllThatMattersTonight(t *testing.T) {
	n := begin(t)
	id := n.service.Fire(grafanatest.Group{
		Title: "Orders \x1b[31mlost\u202e", Number: 42, Team: grafanatest.Databases, Route: grafanatest.ToAna,
		CreatedAt: n.now().Add(-time.Minute), Labels: map[string]string{"region": "eu"},
		Payloads: []map[string]any{{
			"commonLabels":      map[string]any{"alertname": "OrdersLost", "severity": "critical", "region": "us"},
			"commonAnnotations": map[string]any{"description": "Two lines\nof it", "runbook_url": "https://runbooks.example/orders", "dashboard_url": "javascript:alert(1)"},
			"alerts":            []any{map[string]any{"generatorURL": "https://prometheus.example/graph", "labels": map[string]any{"host": "db-2"}}, nil, 7},
		}},
	})
	got := n.see(id)
	if got.UpstreamID != id || got.Account != "work" || got.ID != page.NewID("work", id) || got.Number != "#42" ||
		got.Title != "Orders lost" || got.Details != "Two lines\nof it" || got.Service != "Orders" || got.Severity != page.Critical || got.Status != page.Triggered {
		t.Errorf("%+v", got)
	}
	if !got.Mine || got.Assigned || !got.HandedOn || got.AssignedTo != "" || !got.TriggeredAt.Equal(n.now().Add(-time.Minute)) ||
		got.URL != "https://example.grafana.net/a/grafana-irm-app/alert-groups/"+id {
		t.Errorf("%+v", got)
	}
	if want := []page.Link{{Text: "Runbook", URL: "https://runbooks.example/orders"}, {Text: "Source", URL: "https://prometheus.example/graph"}}; !slices.Equal(got.Links, want) {
		t.Errorf("links %+v, want %+v", got.Links, want)
	}
	for _, want := range []page.Label{{Name: "team", Value: "Databases"}, {Name: "region", Value: "eu"}, {Name: "alertname", Value: "OrdersLost"}, {Name: "host", Value: "db-2"}} {
		if !slices.Contains(got.Labels, want) {
			t.Errorf("%+v is not among %+v", want, got.Labels)
		}
	}
}

func TestAPageWithoutATitleIsNamedByItsAlert(t *testing.T) {
	n := begin(t)
	byHand := n.service.Fire(grafanatest.Group{Payloads: []map[string]any{{"oncall": map[string]any{"title": "Please come", "message": "The network is down.", "permalink": "https://issues.example/7"}}}})
	named := n.service.Fire(grafanatest.Group{Title: "\u200b", Payloads: []map[string]any{{"labels": map[string]any{"alertname": "DiskFull"}}}})
	bare := n.service.Fire(grafanatest.Group{Number: 9, Payloads: []map[string]any{}})
	if got := n.see(byHand); got.Title != "Please come" || got.Details != "The network is down." || len(got.Links) != 1 {
		t.Errorf("%+v", got)
	}
	if got := n.see(named); got.Title != "DiskFull" {
		t.Errorf("%+v", got)
	}
	if got := n.see(bare); got.Title != "An alert group without a title #9" {
		t.Errorf("%+v", got)
	}
}

func TestSeverityGoesByTheLabelAndIsNeverQuietByChance(t *testing.T) {
	alerts := func(of ...map[string]any) map[string]any {
		var all []any
		for _, one := range of {
			all = append(all, one)
		}
		return map[string]any{"alerts": all}
	}
	alert := func(severity, status string) map[string]any {
		return map[string]any{"status": status, "labels": map[string]any{"severity": severity}}
	}
	n := begin(t, func(o *grafana.Options) {
		o.Severities = map[string]page.Severity{"P5": page.Other, "warning": page.Hidden}
	})
	want := map[string]page.Severity{}
	for number, c := range []struct {
		labels  map[string]string
		payload map[string]any
		want    page.Severity
	}{
		{map[string]string{"Severity": "Critical"}, map[string]any{"commonLabels": map[string]any{"severity": "info"}}, page.Critical},
		{nil, map[string]any{"commonLabels": map[string]any{"severity": "minor"}}, page.Minor},
		{nil, map[string]any{"labels": map[string]any{"severity": "info"}}, page.Hidden},
		{nil, map[string]any{"severity": "emergency"}, page.Critical},
		{nil, alerts(alert("info", "firing"), alert("page", "firing")), page.Critical},
		{nil, alerts(alert("info", "firing"), alert("page", "resolved")), page.Hidden},
		{nil, alerts(alert("info", "firing"), alert("odd", "firing")), page.Degraded},
		{map[string]string{"severity": "p5"}, nil, page.Other},
		{map[string]string{"severity": "warning"}, nil, page.Hidden},
		{map[string]string{"severity": "catastrophe"}, nil, page.Degraded},
		{map[string]string{"priority": "low"}, map[string]any{"severity": []any{"low"}}, page.Degraded},
		{nil, nil, page.Degraded},
	} {
		id := n.service.Fire(grafanatest.Group{Title: fmt.Sprint(number), Labels: c.labels, Payloads: []map[string]any{c.payload}})
		want[id] = c.want
	}
	for _, got := range n.open() {
		if got.Severity != want[got.UpstreamID] {
			t.Errorf("case %s is %s, want %s", got.Title, got.Severity, want[got.UpstreamID])
		}
	}
}

func TestTheLabelOfSeverityCanBeAnother(t *testing.T) {
	n := begin(t, func(o *grafana.Options) { o.SeverityLabel = "urgency" })
	id := n.service.Fire(grafanatest.Group{Title: "a", Labels: map[string]string{"severity": "critical", "urgency": "low"}})
	if got := n.see(id); got.Severity != page.Hidden {
		t.Errorf("it is %s", got.Severity)
	}
}

func TestWhatIsSilencedIsOpenAndQuiet(t *testing.T) {
	n := begin(t)
	id := n.service.Page("Disk full")
	n.service.Silence(id, time.Time{})
	if got := n.see(id); got.Status != page.Triggered || got.MutedBy != "silenced in Grafana" || !got.SnoozedUntil.IsZero() {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsAttachedFollowsAnother(t *testing.T) {
	n := begin(t)
	id := n.service.Fire(grafanatest.Group{Title: "Symptom", Team: grafanatest.Databases, AttachedTo: "I000000000099"})
	got := n.see(id)
	if got.MutedBy == "" {
		t.Errorf("%+v", got)
	}
	_, err := n.provider.Acknowledge(t.Context(), got)
	refused(t, err, "attached")
	if did := n.service.Applied(id); len(did) > 0 {
		t.Errorf("the service did %v", did)
	}
}
