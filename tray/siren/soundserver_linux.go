package siren

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jfreymuth/pulse/proto"
)

// reach connects to the sound server and asks it to tell of changes. The
// library's own way in is not taken: its callback is not set while it connects,
// and a server that refuses us at that moment would end the whole program.
func (s *soundServer) reach(life context.Context) error {
	connection, err := dial(life)
	if err != nil {
		return fmt.Errorf("%w (neither PulseAudio nor PipeWire can be reached: %w)", ErrCannotListen, err)
	}
	s.leave = func() { _ = connection.Close() }
	context.AfterFunc(life, s.leave)
	s.client = &proto.Client{Callback: s.take}
	s.client.SetTimeout(listenPatience)
	s.client.Open(&door{Conn: connection})

	var welcome proto.AuthReply
	err = s.ask(&proto.Auth{Version: s.client.Version(), Cookie: cookie()}, &welcome)
	if err == nil {
		s.client.SetVersion(welcome.Version)
		err = s.ask(&proto.SetClientName{Props: proto.PropList{"application.name": proto.PropListString(programName)}}, &proto.SetClientNameReply{})
	}
	if err == nil {
		err = s.ask(&proto.Subscribe{Mask: proto.SubscriptionMaskSink | proto.SubscriptionMaskSource | proto.SubscriptionMaskSinkInput | proto.SubscriptionMaskServer}, nil)
	}
	if err != nil {
		s.leave()
	}
	var refused proto.Error
	if errors.As(err, &refused) {
		return fmt.Errorf("%w (the sound server refused: %w)", ErrCannotListen, err)
	}
	return err
}

// dial tries the places where a sound server may be, best first. The reason of
// the first is told: that is where it should be.
func dial(life context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: listenPatience}
	var first error
	for _, place := range places() {
		network, address, _ := strings.Cut(place, ":")
		connection, err := dialer.DialContext(life, network, address)
		if err == nil {
			return connection, nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = errors.New("nothing says where one would be")
	}
	return nil, first
}

// places are where a sound server may be, each as "network:address": those of
// PULSE_SERVER if it is set, else where servers put their socket.
func places() []string {
	var places []string
	for _, place := range strings.Fields(os.Getenv("PULSE_SERVER")) {
		if _, after, named := strings.Cut(place, "}"); named {
			place = after // it began with a machine's name in braces
		}
		network, address, _ := strings.Cut(place, ":")
		switch {
		case strings.HasPrefix(place, "/"):
			places = append(places, "unix:"+place)
		case network == "unix":
			places = append(places, place)
		case network == "tcp", network == "tcp4", network == "tcp6":
			if _, _, err := net.SplitHostPort(address); err != nil {
				address = net.JoinHostPort(strings.Trim(address, "[]"), "4713")
			}
			places = append(places, network+":"+address)
		}
	}
	if os.Getenv("PULSE_SERVER") != "" {
		return places
	}
	if directory := os.Getenv("PULSE_RUNTIME_PATH"); directory != "" {
		places = append(places, "unix:"+filepath.Join(directory, "native"))
	}
	if directory := os.Getenv("XDG_RUNTIME_DIR"); directory != "" {
		places = append(places, "unix:"+filepath.Join(directory, "pulse", "native"))
	}
	return append(places, fmt.Sprintf("unix:/run/user/%d/pulse/native", os.Getuid()), "unix:/run/pulse/native")
}

// cookie is what a server may want to see besides that we are the same user.
func cookie() []byte {
	home, _ := os.UserHomeDir()
	settings, _ := os.UserConfigDir()
	for _, path := range []string{os.Getenv("PULSE_COOKIE"), filepath.Join(settings, "pulse", "cookie"), filepath.Join(home, ".pulse-cookie")} {
		if cookie, err := os.ReadFile(path); err == nil {
			return cookie
		}
	}
	return make([]byte, 256)
}

// door is the connection as the protocol library sees it. It lets nothing in
// that the library would stumble over, since its stumbling ends the program: a
// text of a thousand bytes, as the title of a web page whose sound plays can
// be, and messages it does not know, which it would print on standard output.
// And it lets nobody wait at a server that takes nothing.
type door struct {
	net.Conn
	inside []byte // of the last frame, not yet read
}

const (
	headLength  = 20
	longestText = 1000
	longestBody = 16 << 20 // what servers themselves take as the most
)

var errGarbled = errors.New("the sound server said something that cannot be understood")

func (d *door) Write(frame []byte) (int, error) {
	if err := d.SetWriteDeadline(time.Now().Add(listenPatience)); err != nil {
		return 0, err
	}
	return d.Conn.Write(frame)
}

func (d *door) Read(into []byte) (int, error) {
	for len(d.inside) == 0 {
		var err error
		if d.inside, err = d.frame(); err != nil {
			return 0, err
		}
	}
	n := copy(into, d.inside)
	d.inside = d.inside[n:]
	return n, nil
}

// frame reads what the server sent next, or nothing if it must stay outside: a
// head with the length of the body and its channel, then the body, which is
// sound or a message.
func (d *door) frame() ([]byte, error) {
	head := make([]byte, headLength)
	if _, err := io.ReadFull(d.Conn, head); err != nil {
		return nil, err
	}
	length, channel := binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[4:])
	if length > longestBody {
		return nil, errGarbled
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(d.Conn, body); err != nil {
		return nil, err
	}
	if channel == proto.Undefined {
		if len(body) < 5 {
			return nil, errGarbled
		}
		if what := binary.BigEndian.Uint32(body[1:]); what > proto.OpPlaybackBufferAttrChanged {
			return nil, nil
		}
		var err error
		if body, err = shorten(body); err != nil {
			return nil, err
		}
		binary.BigEndian.PutUint32(head, uint32(len(body)))
	}
	return append(head, body...), nil
}

// shorten cuts the long texts of a message. A message is a row of values, each
// with a letter before it that says of what kind it is.
func shorten(message []byte) ([]byte, error) {
	short := make([]byte, 0, len(message))
	for len(message) > 0 {
		kind, rest := message[0], message[1:]
		size, known := sizeOf(kind, rest)
		if !known || size > len(rest) {
			return nil, errGarbled
		}
		value := rest[:size]
		if kind == 't' && size > longestText {
			value = append(value[:longestText-1:longestText-1], 0)
		}
		short = append(append(short, kind), value...)
		message = rest[size:]
	}
	return short, nil
}

// sizeOf is how many bytes a value of this kind takes at the start of the rest.
func sizeOf(kind byte, rest []byte) (size int, known bool) {
	count := func(width int) int {
		if len(rest) < width {
			return longestBody // there is no count, so the value is cut off
		}
		if width == 1 {
			return int(rest[0])
		}
		return int(binary.BigEndian.Uint32(rest))
	}
	switch kind {
	case 't': // a text, with the zero byte that ends it
		end := bytes.IndexByte(rest, 0)
		return end + 1, end >= 0
	case 'N', '0', '1', 'P', 'f': // nothing, or values of their own follow
		return 0, true
	case 'B':
		return 1, true
	case 'L', 'V':
		return 4, true
	case 'a':
		return 6, true
	case 'R', 'r', 'U', 'T':
		return 8, true
	case 'm':
		return 1 + count(1), true
	case 'v':
		return 1 + 4*count(1), true
	case 'x':
		return 4 + count(4), true
	}
	return 0, false
}
