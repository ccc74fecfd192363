package siren

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jfreymuth/pulse/proto"
)

func TestKnowsWhereASoundServerMayBe(t *testing.T) {
	t.Setenv("PULSE_RUNTIME_PATH", "")
	t.Setenv("XDG_RUNTIME_DIR", "/run/mine")
	for named, want := range map[string][]string{
		"unix:/tmp/sound":                     {"unix:/tmp/sound"},
		"/tmp/sound":                          {"unix:/tmp/sound"},
		"{a1b2}unix:/tmp/sound tcp:there":     {"unix:/tmp/sound", "tcp:there:4713"},
		"tcp4:192.0.2.1:99 tcp6:[2001:db8::]": {"tcp4:192.0.2.1:99", "tcp6:[2001:db8::]:4713"},
		"nonsense:":                           nil,
	} {
		t.Setenv("PULSE_SERVER", named)
		if got := places(); !slices.Equal(got, want) {
			t.Errorf("PULSE_SERVER=%s is understood as %q", named, got)
		}
	}
	t.Setenv("PULSE_SERVER", "")
	if got := places(); got[0] != "unix:/run/mine/pulse/native" {
		t.Errorf("with nothing named it is looked for at %q", got)
	}
}

// A server that takes nobody in at this moment must not take us along.
func TestAServerThatShutsTheDoorDoesNotEndTheProgram(t *testing.T) {
	place, err := os.MkdirTemp("", "siren")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(place)
	listener, err := net.Listen("unix", filepath.Join(place, "native"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		visitor, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = visitor.Read(make([]byte, 4096))
		visitor.Close()
	}()
	t.Setenv("PULSE_SERVER", "unix:"+filepath.Join(place, "native"))
	if _, err := Listen(""); !errors.Is(err, errEarLost) {
		t.Errorf("the answer is %v", err)
	}
}

// message is a frame of the protocol.
func message(channel uint32, body []byte) []byte {
	head := make([]byte, headLength)
	binary.BigEndian.PutUint32(head, uint32(len(body)))
	binary.BigEndian.PutUint32(head[4:], channel)
	return append(head, body...)
}

// telling begins the body of a message of this kind.
func telling(what uint32) []byte {
	return binary.BigEndian.AppendUint32(append(binary.BigEndian.AppendUint32([]byte{'L'}, what), 'L'), 7)
}

// through gives what the library gets of what the server sends.
func through(t *testing.T, sent []byte) ([]byte, error) {
	t.Helper()
	server, client := net.Pipe()
	go func() {
		_, _ = server.Write(sent)
		server.Close()
	}()
	got, err := io.ReadAll(&door{Conn: client})
	return got, err
}

func TestTheDoorLetsNothingInThatTheLibraryStumblesOver(t *testing.T) {
	sound := message(3, bytes.Repeat([]byte{'?'}, 4000))
	long := append(append(telling(proto.OpReply), 't'), strings.Repeat("x", 3000)+"\x00"...)
	cut := append(append(telling(proto.OpReply), 't'), strings.Repeat("x", longestText-1)+"\x00"...)
	all := telling(proto.OpReply) // a value of each kind, those with a count at the end too
	for _, value := range []string{
		"N", "0", "1", "B1", "V1234", "R12345678", "r12345678", "U12345678", "T12345678", "a123456", "x\x00\x00\x00\x03abc",
		"P", "tname\x00", "L1234", "x\x00\x00\x00\x01a", "N", "f", "B1", "P", "N", "v\x02abcdefgh", "m\x01a",
	} {
		all = append(all, value...)
	}
	unknown := message(proto.Undefined, telling(proto.OpRecordBufferAttrChanged))

	for name, c := range map[string]struct{ sent, got []byte }{
		"sound":            {sound, sound},
		"a long text":      {message(proto.Undefined, long), message(proto.Undefined, cut)},
		"an unknown":       {append(unknown, sound...), sound},
		"nothing unusual":  {message(proto.Undefined, telling(proto.OpSubscribeEvent)), message(proto.Undefined, telling(proto.OpSubscribeEvent))},
		"all there can be": {message(proto.Undefined, all), message(proto.Undefined, all)},
	} {
		if got, err := through(t, c.sent); err != nil || !bytes.Equal(got, c.got) {
			t.Errorf("%s: %d bytes came through, not %d (%v)", name, len(got), len(c.got), err)
		}
	}
	for name, sent := range map[string][]byte{
		"a huge frame":       append(binary.BigEndian.AppendUint32(nil, longestBody+1), make([]byte, headLength)...),
		"no text's end":      message(proto.Undefined, append(telling(proto.OpReply), "tendless"...)),
		"no value's end":     message(proto.Undefined, append(telling(proto.OpReply), "L12"...)),
		"a count of nothing": message(proto.Undefined, append(telling(proto.OpReply), "x\xff\xff\xff\xffabc"...)),
		"a count cut off":    message(proto.Undefined, append(telling(proto.OpReply), 'v')),
		"an unknown kind":    message(proto.Undefined, append(telling(proto.OpReply), '?')),
		"an empty message":   message(proto.Undefined, nil),
	} {
		if got, err := through(t, sent); err == nil || len(got) > 0 {
			t.Errorf("%s: %d bytes came through (%v)", name, len(got), err)
		}
	}
}
