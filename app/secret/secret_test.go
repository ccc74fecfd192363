package secret

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"
)

func TestEveryRefusalIsASentenceAndKeepsItsKind(t *testing.T) {
	for _, c := range []struct {
		cause, kind error
		says        string
	}{
		{ErrAbsent, ErrAbsent, "There is no keyring in this session"},
		{ErrLocked, ErrLocked, "is locked or does not answer"},
		{keyring.ErrNotFound, ErrNotThere, "does not hold the credential"},
		{fmt.Errorf("asked: %w", keyring.ErrUnsupportedPlatform), ErrAbsent, "There is no keyring"},
		{keyring.ErrSetDataTooBig, keyring.ErrSetDataTooBig, "too long"},
	} {
		err := explain(c.cause)
		var ours *Error
		if !errors.As(err, &ours) || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) || !strings.HasSuffix(err.Error(), ".") {
			t.Errorf("%v is told as %v", c.cause, err)
		}
	}
	if explain(nil) != nil {
		t.Error("nothing went wrong and it says so")
	}
}

func TestAKeyringThatNeverAnswersIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		start := time.Now()
		value, err := within(context.Background(), func() (string, error) {
			<-release
			return "too late", nil
		})
		if took := time.Since(start); took != patience || !errors.Is(err, ErrLocked) || value != "" {
			t.Errorf("after %v it gave %q, %v", took, value, err)
		}
		close(release) // what comes after the time is nobody's
	})
}

func TestTwoHomesDoNotMeetInTheKeyring(t *testing.T) {
	one, two := ForHome("/home/anna/one"), ForHome("/home/anna/two")
	if one == two || one != ForHome("/home/anna/one") {
		t.Errorf("%v and %v", one, two)
	}
	if strings.Contains(one.service, "anna") {
		t.Errorf("the entry names the user's folder: %s", one.service)
	}
}
