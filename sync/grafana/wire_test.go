package grafana

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"nightstand/app/page"
	"nightstand/app/roster"
)

func TestTimesAreReadInEveryWayThatIsAbout(t *testing.T) {
	want := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for text, at := range map[string]time.Time{
		"2026-11-22T10:00:00.000000Z": want, "2026-11-22T10:00:00Z": want, "2026-11-22T12:00:00+02:00": want,
		"2026-11-22T12:00:00+0200": want, "2026-11-22T12:00:00+02": want, "2026-11-22T10:00Z": want, "2026-11-22T10:00:00": want,
		"2026-11-22T10:00:00.250000Z": want.Add(250 * time.Millisecond),
		"":                            {}, "yesterday": {}, "2026-13-22T10:00:00Z": {},
	} {
		if got := readTime(text); !got.Equal(at) || got.Location() != time.UTC {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

func TestPlacesGoByTheNameOfASchedule(t *testing.T) {
	for name, want := range map[string]roster.Level{
		"Primary": roster.Primary, "web-primary": roster.Primary, "web_primary_eu": roster.Primary, "SECONDARY on-call": roster.Secondary,
		"tertiary": 3, "Primaries": roster.LevelNotKnown, "Web": roster.LevelNotKnown, "": roster.LevelNotKnown,
	} {
		if got := levelOf(name); got != want {
			t.Errorf("%q is level %d, want %d", name, got, want)
		}
	}
}

func TestComplaintsAreReadInAllTheirShapes(t *testing.T) {
	for body, want := range map[string]string{
		`{"detail":"No."}`: "No.", `{"detail":{"state":"No."}}`: "state: No.", `{"text":["Too long.","Odd."]}`: "text: Too long., Odd.",
		`["No."]`: "No.", `"No."`: "No.", `{"users":[{"id":["No."]}]}`: "users: id: No.", `<html>`: "", `null`: "", `{"detail":null}`: "detail: ",
	} {
		if got := explain(400, nil, []byte(body)).Words; got != want {
			t.Errorf("%s says %q, want %q", body, got, want)
		}
	}
}

// FuzzAnswer reads any text as a list of alert groups: it is an error, or every
// group makes a page that can be shown.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"count":1,"next":null,"results":[{"id":"I1","state":"firing","title":"Disk full","created_at":"2026-11-22T10:00:00.000000Z","labels":[{"key":{"name":"severity"},"value":{"name":"info"}}],"last_alert":{"payload":{"commonLabels":{"severity":"page"},"alerts":[{"labels":{"a":1}},null]}}}]}`,
		`{"results":[{"id":5,"state":null,"labels":[null,7],"last_alert":{"payload":[]},"permalinks":{"web":"javascript:x"}}]}`,
		`{"results":[null]}`, `{"results":{}}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	p, err := New(Options{Account: "work", URL: "https://oncall.example.org", Secret: "key"})
	if err != nil {
		f.Fatal(err)
	}
	seen := p.view(user{ID: "UANA"})
	f.Fuzz(func(t *testing.T, body []byte) {
		var got piece[group]
		if json.Unmarshal(body, &forgiving{&got}) != nil {
			return
		}
		for _, one := range got.Results {
			if one == nil {
				continue
			}
			shown := seen.describe(one)
			if shown.Title == "" || !utf8.ValidString(shown.Title) || page.Plain(shown.Title, page.MaxTitle+1) != shown.Title || shown.Severity == "" {
				t.Errorf("%+v", shown)
			}
			if shown.Open() != (one.State != resolved) || shown.TriggeredAt.Location() != time.UTC {
				t.Errorf("%+v", shown)
			}
			for _, link := range append(shown.Links, page.Link{URL: shown.URL}) {
				if link.URL != "" && !strings.HasPrefix(link.URL, "http") {
					t.Errorf("a link that is none of the web's: %q", link.URL)
				}
			}
		}
	})
}
