package jsm

import (
	"testing"
	"time"

	"nightstand/app/page"
)

func FuzzAnswerIsReadOrRefused(f *testing.F) {
	f.Add(`{"values":[{"id":"a","message":"x","status":"open","acknowledged":true,"owner":"o","createdAt":"2026-11-23T03:02:00Z"}],"links":{}}`)
	f.Add(`{"values":[{"id":"a","responders":[null,{"id":"b"}],"extraProperties":{"u":"https://a.example/","n":1},"snoozedUntil":1e13,"ackTime":-1}]}`)
	f.Add(`{"data":[{"id":"a","details":{"u":{}},"report":{"ackTime":1e300,"acknowledgedBy":"ana@example.org"},"count":1e9}],"paging":{"next":"%"}}`)
	f.Add(`{"values":[null],"links":{"next":"%"}}`)
	f.Add(`"`)
	both := map[Dialect]*Provider{}
	for spoken, address := range map[Dialect]string{JSM: "11111111-2222-4333-8444-555555555555", Opsgenie: "eu"} {
		p, err := New(Options{Account: "prod", Dialect: spoken, URL: address, User: "ana@example.org", Secret: "secret"})
		if err != nil {
			f.Fatal(err)
		}
		both[spoken] = p
	}
	me := user{JiraID: "5b10ac8d82e05b22cc7d4ef5", DisplayName: "Ana Lima", JiraAddress: "ana@example.org"}
	f.Fuzz(func(t *testing.T, body string) {
		for spoken, p := range both {
			alerts, _, err := p.alertsIn([]byte(body))
			if err != nil && len(alerts) > 0 {
				t.Errorf("%s: %d alerts and %v", spoken, len(alerts), err)
			}
			for _, one := range alerts {
				got := p.describe(one, me, true)
				acknowledged := got.Status == page.Acknowledged
				if got.UpstreamID == "" || got.Title == "" || !page.ValidID(got.ID) || acknowledged == (got.AcknowledgedBy == "") ||
					got.AcknowledgedByMe && !acknowledged || got.TriggeredAt.Location() != time.UTC || len(got.Links) > maxLinks || len(got.Labels) > maxLabels {
					t.Errorf("%s: %+v", spoken, got)
				}
				for _, link := range got.Links {
					if !page.WebAddress(link.URL) {
						t.Errorf("%s: a link to %q", spoken, link.URL)
					}
				}
			}
		}
	})
}
