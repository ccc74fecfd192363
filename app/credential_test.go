package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"nightstand/app/watch"
)

func TestACredentialIsOnlyGreenOnceAServiceHasTakenIt(t *testing.T) {
	const nobodyAnswers, refuses = 503, 401
	var status, looks atomic.Int64
	status.Store(nobodyAnswers)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		looks.Add(1)
		w.WriteHeader(int(status.Load()))
		fmt.Fprint(w, "no")
	}))
	defer server.Close()
	o := opensOffice(t)
	account := asked("prod", server.URL)
	account.NoTest = true
	report, err := o.agent.AddAccount(t.Context(), account)
	if err != nil || !report.Kept || report.OK || report.Error != "" {
		t.Fatalf("adding it gave %+v (%v)", report, err)
	}

	o.until("it was asked", func() bool { return o.account("prod").Error != "" })
	if signal := o.signal(watch.SignalCredential); signal.State != watch.SignalUnknown {
		t.Errorf("before any answer the credential is said to be %s", signal.State)
	}
	status.Store(refuses)
	o.until("the refusal is said", func() bool { return o.signal(watch.SignalCredential).State == watch.SignalFailed })
	status.Store(nobodyAnswers)
	before := looks.Load()
	o.until("it was asked again", func() bool { return looks.Load() > before+1 })
	if signal := o.signal(watch.SignalCredential); signal.State != watch.SignalFailed {
		t.Errorf("a server in trouble turned the refused credential to %s", signal.State)
	}
}
