package alertmanager

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"nightstand/app/page"
)

// The longest label texts and links that are kept.
const (
	maxLabel = 300
	maxLink  = 2000
)

// defaultSeverities is what the usual values of a severity label mean. What is
// not in it, or has no label at all, is Degraded: never silent.
var defaultSeverities = map[string]page.Severity{
	"critical": page.Critical, "page": page.Critical, "emergency": page.Critical,
	"error": page.Degraded, "high": page.Degraded, "major": page.Degraded,
	"warning": page.Minor, "minor": page.Minor,
	"info": page.Hidden, "low": page.Hidden,
	"none": page.Other,
}

// describe makes a page of an alert, as far as that does not depend on
// silences.
func (p *Provider) describe(a *alert) page.Page {
	title, details := texts(a)
	return page.Page{
		ID:          page.NewID(p.options.Account, a.firing),
		Account:     p.options.Account,
		UpstreamID:  a.firing,
		SourceKey:   a.Fingerprint,
		Title:       title,
		Details:     details,
		Service:     serviceOf(a),
		Severity:    p.severityOf(a),
		Status:      page.Triggered,
		TriggeredAt: a.started,
		Mine:        true,
		AnswerMutes: "silences this alert for the whole team for " + inWords(p.options.AckLasts),
		URL:         p.interfaceURL(a),
		Links:       linksOf(a),
		Labels:      labelsOf(a),
	}
}

func (p *Provider) severityOf(a *alert) page.Severity {
	value := strings.ToLower(strings.TrimSpace(a.Labels[p.options.SeverityLabel]))
	if severity, known := p.options.Severities[value]; known {
		return severity
	}
	if severity, known := defaultSeverities[value]; known {
		return severity
	}
	return page.Degraded
}

// texts finds the title and what there is to say beyond it.
func texts(a *alert) (title, details string) {
	details = plainLines(cmp.Or(a.Annotations["description"], a.Annotations["message"]), page.MaxDetails)
	for _, candidate := range []string{a.Annotations["summary"], a.Annotations["description"], a.Annotations["message"]} {
		line, _, _ := strings.Cut(strings.TrimSpace(candidate), "\n")
		if title = plain(line, page.MaxTitle); title != "" {
			break
		}
	}
	if title == "" {
		title = plain(strings.TrimSpace(a.Labels["alertname"]+" "+a.Labels["instance"]), page.MaxTitle)
	}
	if title == "" {
		title = "An alert without a name"
	}
	if details == title {
		details = ""
	}
	return title, details
}

func serviceOf(a *alert) string {
	for _, name := range []string{"service", "app", "application", "job", "component", "namespace", "alertname"} {
		if value := plain(a.Labels[name], maxLabel); value != "" {
			return value
		}
	}
	return ""
}

func linksOf(a *alert) []page.Link {
	var links []page.Link
	for _, known := range []struct{ text, url string }{
		{"Runbook", a.Annotations["runbook_url"]},
		{"Dashboard", a.Annotations["dashboard_url"]},
		{"Source", a.GeneratorURL},
	} {
		if safe := webLink(known.url); safe != "" {
			links = append(links, page.Link{Text: known.text, URL: safe})
		}
	}
	return links
}

// webLink returns a link that is safe to offer for a click, or nothing: only
// the web, and no user name that could pass for a host.
func webLink(text string) string {
	if text == "" || len(text) > maxLink {
		return ""
	}
	parsed, err := url.Parse(strings.TrimSpace(text))
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Hostname() == "" || parsed.User != nil {
		return ""
	}
	link := parsed.String()
	if plain(link, maxLink) != link {
		return ""
	}
	return link
}

func labelsOf(a *alert) []page.Label {
	labels := make([]page.Label, 0, len(a.Labels))
	for name, value := range a.Labels {
		labels = append(labels, page.Label{Name: plain(name, maxLabel), Value: plain(value, maxLabel)})
	}
	slices.SortFunc(labels, func(a, b page.Label) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
	return labels
}

// interfaceURL points the server's own web interface at this alert.
func (p *Provider) interfaceURL(a *alert) string {
	fragment := "/alerts?silenced=true&inhibited=true&active=true"
	if filters := filtersFor(a.Labels); len(filters) > 0 {
		fragment += "&filter=" + url.QueryEscape("{"+strings.Join(filters, ",")+"}")
	}
	return p.client.base.String() + "/#" + fragment
}

// maxFilters keeps requests short enough for the proxies between here and the
// server.
const maxFilters = 2000

// filtersFor are conditions in the server's syntax that the alert with these
// labels meets, the alert's name first. They may let others through as well:
// names outside the classic alphabet are left out, and so is what would make
// the request too long.
func filtersFor(labels map[string]string) []string {
	names := make([]string, 0, len(labels))
	for name := range labels {
		if classic(name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(-cmp.Compare(btoi(a == "alertname"), btoi(b == "alertname")), strings.Compare(a, b))
	})
	var filters []string
	length := 0
	for _, name := range names {
		filter := name + "=" + quote(labels[name])
		if length += len(url.QueryEscape(filter)); length > maxFilters {
			break
		}
		filters = append(filters, filter)
	}
	return filters
}

func btoi(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func classic(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

var quoting = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func quote(value string) string { return `"` + quoting.Replace(value) + `"` }

// inWords says a duration in whole minutes or hours, as people do.
func inWords(lasts time.Duration) string {
	count, unit := int(lasts.Round(time.Minute)/time.Minute), "minute"
	switch {
	case count == 0:
		count, unit = int(lasts.Round(time.Second)/time.Second), "second"
	case count%60 == 0:
		count, unit = count/60, "hour"
	}
	if count == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", count, unit)
}

// plain is page.Plain, quick for the text that needs no cleaning: in a storm
// nearly all of it.
func plain(text string, limit int) string {
	if len(text) > limit {
		return page.Plain(text, limit)
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == ' ' && (i == 0 || i == len(text)-1 || text[i-1] == ' ') {
			return page.Plain(text, limit)
		}
	}
	return text
}

func plainLines(text string, limit int) string {
	if !strings.Contains(text, "\n") {
		return plain(text, limit)
	}
	return page.PlainLines(text, limit)
}
