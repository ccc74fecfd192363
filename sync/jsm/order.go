package jsm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"

	"nightstand/app/page"
	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// A change is taken in at once and carried out later, mostly within a second.
// So soon it is first asked what came of it, twice as long is waited after
// every look, and so long in all. After that the alert is looked at for so
// long, until it shows the change.
var (
	firstLook  = 150 * time.Millisecond
	followFor  = 12 * time.Second
	confirmFor = 3 * time.Second
)

// order is one change of one alert.
type order struct {
	path string // behind that of the alert
	body map[string]any
	// shows says that the alert is as it should be afterwards; nil where the
	// alert does not show it.
	shows func(*alert) bool
	// traces looks elsewhere for what the alert does not show.
	traces func(context.Context) (bool, error)
	// hopeless is why the change cannot come any more, nil while it can.
	hopeless func(*alert) error
}

// done says whether the service has it already.
func (o order) done(ctx context.Context, one *alert) (bool, error) {
	if o.shows != nil {
		return o.shows(one), nil
	}
	return o.traces(ctx)
}

// carryOut sends an order, waits until it is done, and returns the alert as it
// is then. When the answer was lost or the outcome is not told, the alert is
// asked: what shows is done.
func (p *Provider) carryOut(ctx context.Context, id string, o order) (*alert, error) {
	defer p.confirmed.Change() // even a failure may have come after the service took it
	refused := p.send(ctx, id, o)
	if refused != nil && provider.KindOf(refused) != provider.Invalid && !doubtful(refused) {
		return nil, refused
	}
	deadline := time.Now().Add(confirmFor)
	for pause := firstLook; ; pause *= 2 {
		after, err := p.read(ctx, id)
		if err != nil {
			if refused == nil {
				refused = p.unconfirmed(err)
			}
			return nil, refused
		}
		if refused == nil && o.shows == nil {
			return after, nil
		}
		done, err := o.done(ctx, after)
		switch {
		case err == nil && done:
			return after, nil
		case o.hopeless != nil && o.hopeless(after) != nil:
			return nil, o.hopeless(after)
		case refused != nil && !doubtful(refused):
			return nil, refused
		case time.Now().Add(pause).After(deadline):
			if refused == nil {
				refused = p.unconfirmed(nil)
			}
			return nil, refused
		}
		select {
		case <-ctx.Done():
			return nil, p.unconfirmed(ctx.Err())
		case <-time.After(pause):
		}
	}
}

func (p *Provider) unconfirmed(cause error) error {
	kind := provider.Broken
	if cause != nil {
		kind = provider.KindOf(cause)
	}
	return p.client.Failure(kind, changing, "took the change in, but does not show it", "Try again, and look at its own page.", cause)
}

// doubtful says that a failure does not tell whether the order arrived.
func doubtful(err error) bool {
	kind := provider.KindOf(err)
	return kind == provider.Unreachable || kind == provider.Broken
}

// send gives an order and follows it to its end. A nil error says that it is
// carried out, or that the service does not tell.
func (p *Provider) send(ctx context.Context, id string, o order) error {
	var taken struct {
		RequestID string `json:"requestId"`
	}
	request := web.Request{Method: http.MethodPost, Path: p.alertPath(id) + "/" + o.path}
	if len(o.body) > 0 {
		request.Body = o.body
	}
	var body json.RawMessage
	answer, err := p.client.Do(ctx, request, &body)
	if err != nil {
		return err
	}
	if decode(body, &taken) != nil || taken.RequestID == "" || !validID(taken.RequestID) {
		if answer.Status == http.StatusAccepted {
			return p.client.Nonsense(changing, errors.New("an order without a request id"))
		}
		return nil // carried out at once, as JSM's notes are
	}
	return p.follow(ctx, taken.RequestID)
}

var errPending = errors.New("not carried out yet")

// follow asks what came of a request until the service tells. It has no such
// request while it has not begun with it.
func (p *Provider) follow(ctx context.Context, request string) error {
	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval, pace.Multiplier, pace.MaxInterval = firstLook, 2, 2*time.Second
	patient, cancel := context.WithTimeout(ctx, followFor)
	defer cancel()
	_, err := backoff.Retry(patient, func() (struct{}, error) {
		return struct{}{}, p.outcome(patient, request)
	}, backoff.WithBackOff(pace), backoff.WithMaxElapsedTime(followFor))
	var said *provider.Error
	if err != nil && !errors.As(err, &said) {
		kind := provider.Broken
		if ctx.Err() != nil {
			kind = provider.Unreachable
		}
		return p.client.Failure(kind, changing, "took the change in, but does not tell what came of it", "Try again, and look at its own page.", err)
	}
	return err
}

// outcome asks once what came of a request.
func (p *Provider) outcome(ctx context.Context, request string) error {
	body, _, err := p.get(ctx, p.dialect.ops+"/alerts/requests/"+url.PathEscape(request), nil)
	var said *provider.Error
	switch {
	case gone(err):
		return errPending
	case errors.As(err, &said) && said.RetryAfter > 0:
		return &backoff.RetryAfterError{Duration: said.RetryAfter}
	case err != nil && doubtful(err):
		return errPending
	case err != nil:
		return backoff.Permanent(err)
	}
	var told struct {
		IsSuccess *bool  `json:"isSuccess"`
		Processed any    `json:"processedAt"`
		Status    string `json:"status"`
	}
	switch {
	case decode(p.dialect.thing(body), &told) != nil || told.IsSuccess == nil:
		return errPending
	case *told.IsSuccess:
		return nil
	case readTime(told.Processed).IsZero() && told.Status == "":
		return errPending
	}
	why := page.Plain(told.Status, 200)
	if why == "" {
		why = "no reason given"
	}
	return backoff.Permanent(p.refuse("took the change in and then did not carry it out (" + why + "). Do it in the service itself."))
}
