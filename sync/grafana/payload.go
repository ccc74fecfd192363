package grafana

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"nightstand/app/page"
)

// findings are what the source of an alert sent, as far as it is of a form that
// is about: Alertmanager's and Grafana's, what a person pages by hand, or a
// plain object.
type findings struct {
	payload map[string]any
	title   string
	details string
	links   []page.Link
	labels  []page.Label
}

func readPayload(payload map[string]any) findings {
	told := findings{payload: payload}
	byHand := table(payload["oncall"])
	notes := []map[string]any{table(payload["commonAnnotations"]), table(payload["annotations"])}
	labels := []map[string]any{table(payload["commonLabels"]), table(payload["labels"])}
	for _, one := range told.alerts() {
		notes, labels = append(notes, table(one["annotations"])), append(labels, table(one["labels"]))
	}
	told.title = cmp.Or(text(payload["title"]), text(byHand["title"]), fromAny(notes, "summary"), fromAny(labels, "alertname"))
	told.details = cmp.Or(fromAny(notes, "description"), fromAny(notes, "message"), fromAny(notes, "summary"), text(payload["message"]), text(byHand["message"]))

	told.link("Runbook", fromAny(notes, "runbook_url"))
	told.link("Dashboard", fromAny(notes, "dashboard_url"))
	for _, one := range told.alerts() {
		told.link("Dashboard", text(one["dashboardURL"]))
		told.link("Panel", text(one["panelURL"]))
		told.link("Source", text(one["generatorURL"]))
	}
	told.link("Source", text(payload["link_to_upstream_details"]))
	told.link("Source", text(byHand["permalink"]))

	common := labels[:min(len(labels), 3)] // those of all alerts, and of the first
	for _, one := range common {
		for _, name := range slices.Sorted(maps.Keys(one)) {
			told.labels = append(told.labels, page.Label{Name: name, Value: text(one[name])})
		}
	}
	return told
}

// alerts are the single alerts in a payload that carries several.
func (f findings) alerts() []map[string]any {
	list, _ := f.payload["alerts"].([]any)
	var all []map[string]any
	for _, one := range list[:min(len(list), 50)] {
		if fields := table(one); fields != nil {
			all = append(all, fields)
		}
	}
	return all
}

// severityWords are the values of a label in the first place that has any;
// alerts that have ended do not count.
func (f findings) severityWords(label string) []string {
	if word := text(table(f.payload["commonLabels"])[label]); word != "" {
		return []string{word}
	}
	var words []string
	for _, one := range f.alerts() {
		if word := text(table(one["labels"])[label]); word != "" && text(one["status"]) != resolved {
			words = append(words, word)
		}
	}
	if len(words) > 0 {
		return words
	}
	if word := cmp.Or(text(table(f.payload["labels"])[label]), text(f.payload[label])); word != "" {
		return []string{word}
	}
	return nil
}

// link keeps an address that may be opened, once.
func (f *findings) link(name, address string) {
	address = webAddress(address)
	if address == "" || slices.ContainsFunc(f.links, func(l page.Link) bool { return l.URL == address }) {
		return
	}
	f.links = append(f.links, page.Link{Text: name, URL: address})
}

func table(value any) map[string]any {
	fields, _ := value.(map[string]any)
	return fields
}

// text is a plain value as a word; what is a list or a table is none.
func text(value any) string {
	switch value := value.(type) {
	case string:
		return strings.TrimSpace(value)
	case float64, bool:
		return fmt.Sprint(value)
	}
	return ""
}

func fromAny(tables []map[string]any, name string) string {
	for _, one := range tables {
		if found := text(one[name]); found != "" {
			return found
		}
	}
	return ""
}
