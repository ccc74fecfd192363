// Package alertmanagertest starts a real Alertmanager for tests: on loopback,
// on a port nobody else has, with its own storage, and gone when the test ends.
package alertmanagertest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Program is the name of the server as Debian's prometheus-alertmanager
// package installs it.
const Program = "prometheus-alertmanager"

// RequireRig is the environment variable that turns a missing Alertmanager
// from a skipped test into a failed one.
const RequireRig = "NIGHTSTAND_RIG"

// The user and password of a server started with BasicAuth. The hash is
// bcrypt of Password, at a low cost so that tests stay quick.
const (
	User         = "anna"
	Password     = "hears-every-page"
	passwordHash = "$2b$05$NightstandNightstandNe2UFKdYRCpmXyf2lmcf4GCwX.1QDtjMC"
)

// DefaultConfig routes by team, so that receivers can be told apart, and lets
// a page with severity="critical" hold back the warnings of its instance.
const DefaultConfig = `route:
  receiver: default
  routes:
  - receiver: team-db
    matchers: [ 'team="db"' ]
  - receiver: team-web
    matchers: [ 'team="web"' ]
receivers:
- name: default
- name: team-db
- name: team-web
inhibit_rules:
- source_matchers: [ 'severity="critical"' ]
  target_matchers: [ 'severity="warning"' ]
  equal: [ instance ]
`

// Options choose the server. The zero value is one without password on plain
// HTTP with DefaultConfig.
type Options struct {
	// Config is the text of alertmanager.yml; empty means DefaultConfig.
	Config string
	// WebConfig is the text of a web.config.file; it is written after what
	// BasicAuth and TLS put there.
	WebConfig string
	// BasicAuth asks for User and Password.
	BasicAuth bool
	// TLS serves HTTPS with a certificate that only Server.CAFile vouches for.
	TLS bool
	// RoutePrefix serves everything under this path ("/alerts").
	RoutePrefix string
}

// Server is one Alertmanager. Its methods fail the test when the server does
// not do what they ask, and must be called from the test's own goroutine.
type Server struct {
	// URL is where it listens, route prefix included, without a slash at the
	// end. It stays the same over restarts.
	URL string
	// CAFile is the PEM file of the authority behind the certificate; empty
	// without TLS.
	CAFile string

	tb      testing.TB
	options Options
	folder  string
	address string
	client  *http.Client
	process *exec.Cmd
	ended   chan struct{}
	log     *serverLog
}

// Start runs an Alertmanager until the test ends. Without the program the test
// is skipped, or failed when the environment sets RequireRig to 1.
func Start(tb testing.TB, options Options) *Server {
	tb.Helper()
	if _, err := exec.LookPath(Program); err != nil {
		if os.Getenv(RequireRig) == "1" {
			tb.Fatalf("%s is not installed, and %s=1 asks for it: %v", Program, RequireRig, err)
		}
		tb.Skipf("%s is not installed here; Debian's package of that name brings it", Program)
	}
	s := &Server{tb: tb, options: options, folder: tb.TempDir(), address: "127.0.0.1:0"}
	transport := &http.Transport{}
	if options.TLS {
		transport.TLSClientConfig = &tls.Config{RootCAs: s.writeCertificate()}
	}
	s.client = &http.Client{Transport: transport, Timeout: 10 * time.Second}
	s.writeConfig()
	tb.Cleanup(func() {
		s.signal(syscall.SIGKILL)
		transport.CloseIdleConnections()
		if tb.Failed() {
			tb.Logf("the last lines of the Alertmanager's log:\n%s", s.log.tail())
		}
	})
	s.launch()
	return s
}

// Stop ends the server with SIGTERM, so that it stores its silences.
func (s *Server) Stop() { s.signal(syscall.SIGTERM) }

// Kill ends the server with SIGKILL: what it had not yet stored is lost.
func (s *Server) Kill() { s.signal(syscall.SIGKILL) }

// Restart starts a stopped server again at the same URL and storage. It comes
// back without alerts, because an Alertmanager keeps these in memory only.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	s.launch()
}

// RestartEmpty starts the server again at the same URL, without its silences.
func (s *Server) RestartEmpty() {
	s.tb.Helper()
	s.Stop()
	if err := os.RemoveAll(s.storage()); err != nil {
		s.tb.Fatalf("cannot empty the Alertmanager's storage: %v", err)
	}
	s.launch()
}

// Pause stops the server's process without closing its connections: it hangs.
// Resume lets it go on.
func (s *Server) Pause() { s.freeze(true) }

// Resume lets a paused server go on.
func (s *Server) Resume() { s.freeze(false) }

// Address is the host and port it listens on.
func (s *Server) Address() string { return s.address }

// Log is what the server has written so far.
func (s *Server) Log() string { return s.log.tail() }

func (s *Server) storage() string { return filepath.Join(s.folder, "storage") }

func (s *Server) writeConfig() {
	s.tb.Helper()
	config := s.options.Config
	if config == "" {
		config = DefaultConfig
	}
	s.write("alertmanager.yml", config)
	var web strings.Builder
	if s.options.BasicAuth {
		fmt.Fprintf(&web, "basic_auth_users:\n  %s: %s\n", User, passwordHash)
	}
	if s.options.TLS {
		web.WriteString("tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n")
	}
	web.WriteString(s.options.WebConfig)
	s.write("web.yml", web.String())
}

func (s *Server) write(name, text string) string {
	s.tb.Helper()
	path := filepath.Join(s.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.tb.Fatalf("cannot prepare the Alertmanager: %v", err)
	}
	return path
}

// launch starts the process and waits until it answers. A port that another
// process took while the server was away is waited for.
func (s *Server) launch() {
	s.tb.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := s.launchOnce(deadline)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.tb.Fatalf("the Alertmanager did not start: %v\n%s", err, s.log.tail())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *Server) launchOnce(deadline time.Time) error {
	prefix := "/" + strings.Trim(s.options.RoutePrefix, "/")
	process := exec.Command(Program,
		"--config.file="+filepath.Join(s.folder, "alertmanager.yml"),
		"--web.config.file="+filepath.Join(s.folder, "web.yml"),
		"--storage.path="+s.storage(),
		"--web.listen-address="+s.address,
		"--web.route-prefix="+prefix,
		// Empty, or it would listen for cluster peers on every address.
		"--cluster.listen-address=")
	s.log = &serverLog{listening: make(chan string, 1)}
	process.Stdout, process.Stderr = s.log, s.log
	if err := process.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = process.Wait() // the exit status of a killed server says nothing
		close(ended)
	}()
	s.process, s.ended = process, ended

	select {
	case s.address = <-s.log.listening:
	case <-ended:
		return fmt.Errorf("it ended at once")
	case <-time.After(time.Until(deadline)):
		s.Kill()
		return fmt.Errorf("it did not listen in time")
	}
	scheme := "http"
	if s.options.TLS {
		scheme = "https"
	}
	s.URL = scheme + "://" + s.address + strings.TrimSuffix(prefix, "/")
	for {
		answer, err := s.send(http.MethodGet, "/api/v2/status", nil)
		if err == nil && answer.status == http.StatusOK {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("it ended before it was ready")
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.Kill()
			return fmt.Errorf("it was never ready: %v %v", answer.status, err)
		}
	}
}

func (s *Server) signal(signal syscall.Signal) {
	if s.process == nil {
		return
	}
	process, ended := s.process, s.ended
	s.process = nil
	s.client.CloseIdleConnections()
	_ = process.Process.Signal(signal) // it may have ended by itself
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		_ = process.Process.Kill()
		<-ended
	}
}

type answer struct {
	status int
	body   []byte
}

func (s *Server) send(method, path string, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	if s.options.BasicAuth {
		request.SetBasicAuth(User, Password)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, text}, err
}

// serverLog keeps what the server wrote and waits for the line that names the
// address it was given.
type serverLog struct {
	mutex     sync.Mutex
	text      bytes.Buffer
	announced bool
	listening chan string
}

var listeningLine = regexp.MustCompile(`msg="?Listening on"? .*address=(\S+:\d+)`)

func (l *serverLog) Write(chunk []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.text.Write(chunk)
	if !l.announced {
		lines := bufio.NewScanner(bytes.NewReader(l.text.Bytes()))
		for lines.Scan() {
			if found := listeningLine.FindStringSubmatch(lines.Text()); found != nil {
				l.announced = true
				l.listening <- found[1]
				break
			}
		}
	}
	return len(chunk), nil
}

func (l *serverLog) tail() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	text := l.text.String()
	if len(text) > 4000 {
		text = text[len(text)-4000:]
	}
	return text
}

// authorityPool is the pool with the one authority in pem.
func authorityPool(pem []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}
