package jsm

import "testing"

func TestAddressIsFoundInWhatAPersonTypesOrPastes(t *testing.T) {
	const cloud = "11111111-2222-4333-8444-555555555555"
	for _, c := range []struct {
		dialect          Dialect
		typed, base, ops string
	}{
		{JSM, cloud, "https://api.atlassian.com", "/jsm/ops/api/" + cloud + "/v1"},
		{"", " https://api.atlassian.com/jsm/ops/api/" + cloud + "/v1/ ", "https://api.atlassian.com", "/jsm/ops/api/" + cloud + "/v1"},
		{JSM, "https://api.atlassian.com/compass/cloud/" + cloud + "/ops", "https://api.atlassian.com", "/compass/cloud/" + cloud + "/ops/v1"},
		{JSM, "http://127.0.0.1:80/jsm/ops/api/" + cloud, "http://127.0.0.1:80", "/jsm/ops/api/" + cloud + "/v1"},
		{Opsgenie, "", "https://api.opsgenie.com", "/v2"},
		{Opsgenie, "EU", "https://api.eu.opsgenie.com", "/v2"},
		{Opsgenie, "https://payments.app.eu.opsgenie.com/alert/list", "https://api.eu.opsgenie.com", "/v2"},
		{Opsgenie, "https://payments.app.opsgenie.com/", "https://api.opsgenie.com", "/v2"},
		{Opsgenie, "https://opsgenie.proxy.example.org/og/v2", "https://opsgenie.proxy.example.org/og", "/v2"},
	} {
		spoken, base, err := readAddress(Options{Dialect: c.dialect, URL: c.typed, User: "ana@example.org"})
		if err != nil || base.String() != c.base || spoken.ops != c.ops {
			t.Errorf("%q became %s and %s, %v", c.typed, base, spoken.ops, err)
		}
	}
}
