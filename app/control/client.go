package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrNotRunning says that no agent of this profile answers.
var ErrNotRunning = errors.New("the Nightstand agent is not running, so no page can ring here; start it with “nightstand” or “nightstand agent”")

// ErrSilent says that there is an agent, but that it has stopped answering.
var ErrSilent = errors.New("the Nightstand agent is there but does not answer, so do not count on being woken; " +
	"whatever guards it starts it again within a minute, and if nothing does, end it and start it with “nightstand”")

// How long the agent may take. Reading needs no service; a command may have to
// wait for one, and in a batch for those before it. Followers hear from the
// agent at least every stillHere.
const (
	readPatience    = 5 * time.Second
	commandPatience = 3 * time.Minute
	followPatience  = 3 * stillHere
	drillPatience   = 10 * time.Minute
)

// Client speaks to the running agent of one profile. Its errors are
// ErrNotRunning, ErrSilent, ErrUnknown, *RefusedError, or a fault of the
// connection, all of them in words for people.
type Client struct {
	http  *http.Client
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	base  string
	token string

	reading, commanding, following time.Duration
}

// Dial finds the agent of the profile whose address file this is. It does not
// wait for one to start.
func Dial(addressFile string) (*Client, error) {
	door, err := find(addressFile)
	if err != nil {
		return nil, ErrNotRunning
	}
	network, address, base := "unix", door.Socket, "http://nightstand"
	if door.TCP != "" {
		network, address, base = "tcp", door.TCP, "http://"+door.TCP
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, network, address)
	}
	return &Client{
		dial: dial,
		http: &http.Client{
			Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
			// A path that the server would tidy up is not the one we meant.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		base: base, token: door.Token,
		reading: readPatience, commanding: commandPatience, following: followPatience,
	}, nil
}

// Answers says whether an agent really listens there: an address file may be
// left over from one that was killed, and its port be another program's by now.
func (c *Client) Answers(ctx context.Context) bool {
	connection, err := c.dial(ctx, "", "")
	if err != nil {
		return false
	}
	connection.Close()
	if c.token == "" {
		return true // only an agent listens on its socket
	}
	soon, cancel := context.WithTimeoutCause(ctx, time.Second, ErrSilent)
	defer cancel()
	_, err = c.State(soon)
	return err == nil || errors.Is(err, ErrSilent)
}

// State returns everything the agent publishes.
func (c *Client) State(ctx context.Context) (State, error) {
	return ask[State](ctx, c, http.MethodGet, "/v1/state", nil)
}

// FollowAs is Follow for a window, which lets the agent know that there is one
// of this kind.
func (c *Client) FollowAs(ctx context.Context, face string, seen func(State)) error {
	return c.follow(ctx, "/v1/events?face="+url.QueryEscape(face), seen)
}

// Follow calls seen with every state until ctx ends or the agent goes away.
// An agent that says nothing for 45 s has stopped, whatever its last state was.
func (c *Client) Follow(ctx context.Context, seen func(State)) error {
	return c.follow(ctx, "/v1/events", seen)
}

func (c *Client) follow(ctx context.Context, path string, seen func(State)) error {
	following, end := context.WithCancelCause(ctx)
	defer end(nil)
	late := time.AfterFunc(c.following, func() { end(ErrSilent) })
	defer late.Stop()

	response, err := c.send(following, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(make([]byte, 0, 64<<10), 16<<20)
	for lines.Scan() {
		content, found := strings.CutPrefix(lines.Text(), "data: ")
		if !found {
			continue
		}
		late.Reset(c.following)
		var state State
		if err := json.Unmarshal([]byte(content), &state); err != nil {
			return notUnderstood(err)
		}
		seen(state)
	}
	if following.Err() != nil {
		return context.Cause(following)
	}
	return ErrNotRunning
}

// Pages returns the open pages, worst first; with all also the ended ones.
func (c *Client) Pages(ctx context.Context, all bool) ([]Page, error) {
	return ask[[]Page](ctx, c, http.MethodGet, "/v1/pages?all="+strconv.FormatBool(all), nil)
}

// Page returns one page with its timeline.
func (c *Client) Page(ctx context.Context, id string) (Detail, error) {
	return askAbout[Detail](ctx, c, http.MethodGet, "/v1/pages/", id, "")
}

// Timeline returns what happened lately, oldest first.
func (c *Client) Timeline(ctx context.Context) ([]Entry, error) {
	return ask[[]Entry](ctx, c, http.MethodGet, "/v1/timeline", nil)
}

// Acknowledge answers one page and waits until it is confirmed or not.
func (c *Client) Acknowledge(ctx context.Context, id string) ([]Outcome, error) {
	return askAbout[[]Outcome](ctx, c, http.MethodPost, "/v1/pages/", id, "/ack")
}

// AcknowledgeAll answers every page that rings.
func (c *Client) AcknowledgeAll(ctx context.Context) ([]Outcome, error) {
	return ask[[]Outcome](ctx, c, http.MethodPost, "/v1/ack", nil)
}

// AcknowledgeThese answers pages of one press; each outcome tells of one.
func (c *Client) AcknowledgeThese(ctx context.Context, ids []string) ([]Outcome, error) {
	return ask[[]Outcome](ctx, c, http.MethodPost, "/v1/ack", These{IDs: ids})
}

// AddNote keeps a note to a page; it is on the disk when this returns.
func (c *Client) AddNote(ctx context.Context, pageID string, asked NewNote) (Entry, error) {
	return askWith[Entry](ctx, c, http.MethodPost, "/v1/pages/", pageID, "/notes", asked)
}

// Describe asks the service of a page for everything it knows of it now.
func (c *Client) Describe(ctx context.Context, id string) (Upstream, error) {
	patient := *c
	patient.reading = c.commanding // the service may take its time
	return askAbout[Upstream](ctx, &patient, http.MethodGet, "/v1/pages/", id, "/service")
}

// Do asks the service of a page for a deed and waits a while for it.
func (c *Client) Do(ctx context.Context, id string, asked Deed) (Outcome, error) {
	return askWith[Outcome](ctx, c, http.MethodPost, "/v1/pages/", id, "/"+asked.Deed, asked)
}

// ShowWindow brings a view of the main window up.
func (c *Client) ShowWindow(ctx context.Context, view string) error {
	_, err := askAbout[nothing](ctx, c, http.MethodPost, "/v1/windows/", view, "")
	return err
}

// Drill sends a page through the whole chain and waits until it is answered,
// which is up to a person.
func (c *Client) Drill(ctx context.Context, asked Drill) (DrillReport, error) {
	patient := *c
	patient.commanding = time.Duration(asked.InSeconds*float64(time.Second)) + drillPatience
	return ask[DrillReport](ctx, &patient, http.MethodPost, "/v1/drill", asked)
}

// Unacknowledge takes our answer to one page back.
func (c *Client) Unacknowledge(ctx context.Context, id string) (Outcome, error) {
	return askAbout[Outcome](ctx, c, http.MethodPost, "/v1/pages/", id, "/unack")
}

// Hush makes it quiet for a while; nothing goes upstream.
func (c *Client) Hush(ctx context.Context) (Outcome, error) {
	return ask[Outcome](ctx, c, http.MethodPost, "/v1/hush", nil)
}

// Dismiss puts one kept sentence away, or all of them with an empty id.
func (c *Client) Dismiss(ctx context.Context, id string) error {
	if id == "" {
		_, err := ask[nothing](ctx, c, http.MethodPost, "/v1/notices/dismiss", nil)
		return err
	}
	_, err := askAbout[nothing](ctx, c, http.MethodPost, "/v1/notices/", id, "/dismiss")
	return err
}

// ListAccounts returns the accounts as the agent sees them now.
func (c *Client) ListAccounts(ctx context.Context) ([]Account, error) {
	state, err := c.State(ctx)
	return state.Accounts, err
}

// AddAccount sets an account up, or with OnlyLook just tests it.
func (c *Client) AddAccount(ctx context.Context, asked NewAccount) (AccountReport, error) {
	return ask[AccountReport](ctx, c, http.MethodPost, "/v1/accounts", asked)
}

// TestAccount asks the service of an account again.
func (c *Client) TestAccount(ctx context.Context, name string) (AccountReport, error) {
	return askAbout[AccountReport](ctx, c, http.MethodPost, "/v1/accounts/", name, "/test")
}

// RemoveAccount forgets an account and its credential.
func (c *Client) RemoveAccount(ctx context.Context, name string) error {
	_, err := askAbout[nothing](ctx, c, http.MethodDelete, "/v1/accounts/", name, "")
	return err
}

// Quit ends the agent. It returns when the agent has taken the request, which
// is a moment before it is gone.
func (c *Client) Quit(ctx context.Context) error {
	_, err := ask[nothing](ctx, c, http.MethodPost, "/v1/quit", nil)
	return err
}

// nothing is the answer to a command that is simply done.
type nothing struct{}

// askAbout asks about one named thing. A name made of dots alone would be
// tidied out of the path, and the request would reach something else.
func askAbout[Answer any](ctx context.Context, c *Client, method, before, name, after string) (Answer, error) {
	return askWith[Answer](ctx, c, method, before, name, after, nil)
}

// askWith is askAbout with a body.
func askWith[Answer any](ctx context.Context, c *Client, method, before, name, after string, body any) (Answer, error) {
	if strings.Trim(name, ".") == "" {
		var none Answer
		return none, &unknownError{"Nothing is called “" + name + "”."}
	}
	return ask[Answer](ctx, c, method, before+url.PathEscape(name)+after, body)
}

func ask[Answer any](ctx context.Context, c *Client, method, path string, body any) (Answer, error) {
	patience := c.commanding
	if method == http.MethodGet {
		patience = c.reading
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrSilent)
	defer cancel()

	var answer Answer
	response, err := c.send(ctx, method, path, body)
	if err != nil {
		return answer, err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		if ctx.Err() != nil {
			return answer, context.Cause(ctx)
		}
		return answer, notUnderstood(err)
	}
	return answer, nil
}

func notUnderstood(err error) error {
	return fmt.Errorf("the Nightstand agent answered in a way this program does not understand; "+
		"if Nightstand was updated lately, end the agent and start it again (%w)", err)
}

// send returns the answer if it is a yes, and what kind of no it is otherwise.
func (c *Client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		written, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(written)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		var dialling *net.OpError
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.As(err, &dialling) && dialling.Op == "dial":
			return nil, ErrNotRunning
		}
		return nil, fmt.Errorf("the Nightstand agent went away before it answered, so what became of the request is not known; "+
			"look with “nightstand status” (%w)", err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	var said problem
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil || said.Error == "" {
		said.Error = "the Nightstand agent turned the request down without saying why (" + response.Status + ")"
	}
	switch response.StatusCode {
	case http.StatusNotFound:
		return nil, &unknownError{said.Error}
	case http.StatusConflict:
		return nil, &RefusedError{Sentence: said.Error}
	}
	return nil, errors.New(said.Error)
}

// unknownError is ErrUnknown in the agent's words.
type unknownError struct{ sentence string }

func (e *unknownError) Error() string        { return e.sentence }
func (e *unknownError) Is(target error) bool { return target == ErrUnknown }
