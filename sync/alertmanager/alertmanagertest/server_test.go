package alertmanagertest

import (
	"strings"
	"testing"
	"time"
)

var diskFull = map[string]string{"alertname": "DiskFull", "instance": "db-2", "team": "db"}

func TestAlertsComeAndGo(t *testing.T) {
	server := Start(t, Options{})
	server.Post(Alert{Labels: diskFull, Annotations: map[string]string{"summary": "Disk 90% full"}})
	alerts := server.Alerts()
	if len(alerts) != 1 || alerts[0].Labels["alertname"] != "DiskFull" || alerts[0].Status.State == "suppressed" {
		t.Fatalf("posted one alert, the server lists %+v", alerts)
	}
	id := server.Silence(Silence{Matchers: Equal(diskFull), CreatedBy: "ben"})
	if alerts = server.Alerts(); alerts[0].Status.State != "suppressed" {
		t.Fatalf("silenced, yet %+v", alerts[0].Status)
	}
	server.Expire(id)
	if left := server.ActiveSilences(); len(left) != 0 {
		t.Fatalf("expired the only silence, still active: %+v", left)
	}
	server.Resolve(diskFull)
	if alerts = server.Alerts(); len(alerts) != 0 {
		t.Fatalf("resolved, still listed: %+v", alerts)
	}
}

func TestRestartKeepsTheAddressAndForgetsAlerts(t *testing.T) {
	server := Start(t, Options{})
	before := server.URL
	server.Post(Alert{Labels: diskFull})
	server.Silence(Silence{Matchers: Equal(diskFull), CreatedBy: "ben"})

	server.Restart()
	if server.URL != before {
		t.Fatalf("the URL moved from %s to %s", before, server.URL)
	}
	if alerts := server.Alerts(); len(alerts) != 0 {
		t.Fatalf("alerts survived a restart: %+v", alerts)
	}
	if silences := server.ActiveSilences(); len(silences) != 1 {
		t.Fatalf("SIGTERM should keep the one silence, got %+v", silences)
	}

	server.RestartEmpty()
	if silences := server.Silences(); len(silences) != 0 {
		t.Fatalf("silences survived an empty restart: %+v", silences)
	}
}

func TestPasswordAndTLS(t *testing.T) {
	server := Start(t, Options{BasicAuth: true, TLS: true, RoutePrefix: "/paging"})
	if !strings.HasPrefix(server.URL, "https://127.0.0.1:") || !strings.HasSuffix(server.URL, "/paging") || server.CAFile == "" {
		t.Fatalf("TLS under a prefix at %q with CA %q", server.URL, server.CAFile)
	}
	server.Post(Alert{Labels: diskFull, EndsAt: time.Now().Add(time.Hour)})
	if alerts := server.Alerts(); len(alerts) != 1 {
		t.Fatalf("want one alert, got %+v", alerts)
	}
}
