package fqdn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"google.golang.org/protobuf/encoding/protowire"
)

// message is an answer of DNS about a name: records are "NAME ADDRESS" or "NAME -> NAME".
func message(t testing.TB, name string, records ...string) []byte {
	t.Helper()
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{Response: true})
	b.EnableCompression()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(b.StartQuestions())
	must(b.Question(dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}))
	must(b.StartAnswers())
	for i, r := range records {
		words := strings.Fields(r)
		h := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(words[0]), Class: dnsmessage.ClassINET, TTL: uint32(100 + i)}
		if words[1] == "->" {
			must(b.CNAMEResource(h, dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(words[2])}))
		} else if a := netip.MustParseAddr(words[1]); a.Is4() {
			must(b.AResource(h, dnsmessage.AResource{A: a.As4()}))
		} else {
			must(b.AAAAResource(h, dnsmessage.AAAAResource{AAAA: a.As16()}))
		}
	}
	out, err := b.Finish()
	must(err)
	return out
}

// tap is a frame of dnstap with a response.
func tap(kind uint64, dns []byte) []byte {
	var m []byte
	m = protowire.AppendTag(m, messageType, protowire.VarintType)
	m = protowire.AppendVarint(m, kind)
	m = protowire.AppendTag(m, 4, protowire.BytesType)
	m = protowire.AppendBytes(m, []byte{192, 0, 2, 1})
	m = protowire.AppendTag(m, 9, protowire.Fixed32Type)
	m = protowire.AppendFixed32(m, 7)
	m = protowire.AppendTag(m, messageResponse, protowire.BytesType)
	m = protowire.AppendBytes(m, dns)
	out := protowire.AppendTag(nil, tapMessage, protowire.BytesType)
	out = protowire.AppendBytes(out, m)
	out = protowire.AppendTag(out, 15, protowire.VarintType)
	return protowire.AppendVarint(out, 1)
}

func TestUnderstand(t *testing.T) {
	for _, c := range []struct {
		about   string
		frame   []byte
		result  Result
		want    string
		ttlSecs int
	}{
		{"addresses", tap(6, message(t, "A.Example.com.", "a.example.com. 203.0.113.1", "a.EXAMPLE.com. 2001:db8::1")), "", "a.example.com [203.0.113.1 2001:db8::1]", 100},
		{"aliases", tap(6, message(t, "a.example.com.", "c.net. 203.0.113.1", "b.net. -> c.net.", "a.example.com. -> b.net.")), "", "a.example.com [203.0.113.1]", 100},
		{"other names' records", tap(6, message(t, "a.example.com.", "a.example.com. 203.0.113.1", "bank.example. 198.51.100.1")), "", "a.example.com [203.0.113.1]", 100},
		{"a loop", tap(6, message(t, "a.example.com.", "a.example.com. -> b.net.", "b.net. -> a.example.com.")), Other, "", 0},
		{"nothing", tap(6, message(t, "a.example.com.")), Other, "", 0},
		{"what a server told the resolver", tap(4, message(t, "a.example.com.", "a.example.com. 203.0.113.1")), Other, "", 0},
		{"no DNS", tap(6, []byte("hello")), Malformed, "", 0},
		{"no protobuf", []byte{0xff, 0xff}, Malformed, "", 0},
		{"empty", nil, Other, "", 0},
	} {
		a, result := understand(c.frame)
		got := ""
		if result == "" {
			got = fmt.Sprintf("%s %v", a.name, a.addresses)
		}
		if result != c.result || got != c.want || a.ttl != time.Duration(c.ttlSecs)*time.Second {
			t.Errorf("%s: %q %q %v", c.about, result, got, a.ttl)
		}
	}
}

// TestUsable says which addresses no name may have.
func TestUsable(t *testing.T) {
	for a, want := range map[string]bool{
		"203.0.113.1": true, "10.0.0.1": true, "2001:db8::1": true, "127.0.0.1": false, "169.254.169.254": false, "::1": false,
		"fe80::1": false, "224.0.0.1": false, "0.0.0.0": false, "::ffff:10.0.0.1": false,
	} {
		if usable(netip.MustParseAddr(a)) != want {
			t.Error(a)
		}
	}
}

// pipe is a writer of frames and what it is told.
type pipe struct {
	io.Reader
	bytes.Buffer
}

func (p *pipe) Read(b []byte) (int, error) { return p.Reader.Read(b) }

func control(kind uint32, content string) []byte {
	payload := binary.BigEndian.AppendUint32(nil, kind)
	if content != "" {
		payload = binary.BigEndian.AppendUint32(payload, fieldContentType)
		payload = binary.BigEndian.AppendUint32(payload, uint32(len(content)))
		payload = append(payload, content...)
	}
	return append(binary.BigEndian.AppendUint32(make([]byte, 4), uint32(len(payload))), payload...)
}

func data(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }

// TestFrames reads both kinds of writers, and ones that are wrong.
func TestFrames(t *testing.T) {
	ready, start, stop := control(controlReady, contentType), control(controlStart, contentType), control(controlStop, "")
	for _, c := range []struct {
		about string
		in    [][]byte
		want  string // the frames, or the error
		told  []byte
	}{
		{"one way", [][]byte{start, data([]byte("a")), data([]byte("b")), stop}, "a b EOF", nil},
		{"both ways", [][]byte{ready, start, data([]byte("a")), stop}, "a EOF", append(control(controlAccept, contentType), control(controlFinish, "")...)},
		{"no start", [][]byte{data([]byte("a"))}, "a data frame before a start", nil},
		{"ready twice", [][]byte{ready, ready}, "control frame 4 instead of a start", control(controlAccept, contentType)},
		{"another type", [][]byte{control(controlStart, "text")}, "the frames are not dnstap's", nil},
		{"a large frame", [][]byte{start, {0xff, 0, 0, 0}}, "a frame of 4278190080 bytes", nil},
		{"a large control frame", [][]byte{{0, 0, 0, 0, 0xff, 0, 0, 0}}, "a control frame of 4278190080 bytes", nil},
		{"a short field", [][]byte{{0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 1, 9}}, "a short field of a control frame", nil},
		{"the end", [][]byte{start, {0, 0}}, "unexpected EOF", nil},
	} {
		p := &pipe{Reader: bytes.NewReader(bytes.Join(c.in, nil))}
		s := &stream{rw: p}
		var got []string
		err := s.begin()
		for err == nil {
			var b []byte
			if b, err = s.next(); err == nil {
				got = append(got, string(b))
			}
		}
		got = append(got, err.Error())
		if text := strings.Join(got, " "); text != c.want || !bytes.Equal(p.Bytes(), c.told) {
			t.Errorf("%s: %s, told %q", c.about, text, p.Bytes())
		}
	}
}

// FuzzStream has writers that say anything: nothing panics, and nothing is larger than its bound.
func FuzzStream(f *testing.F) {
	start := control(controlStart, contentType)
	f.Add(append(start, data(tap(6, message(f, "a.example.com.", "a.example.com. -> b.net.", "b.net. 203.0.113.1")))...))
	f.Add(append(control(controlReady, contentType), start...))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &stream{rw: &pipe{Reader: bytes.NewReader(b)}}
		err := s.begin()
		for err == nil {
			var frame []byte
			if frame, err = s.next(); err != nil {
				break
			}
			a, result := understand(frame)
			if result == "" && (!right(a.name) || len(a.addresses) == 0 || len(a.addresses) > mostRecords) {
				t.Errorf("%+v", a)
			}
		}
	})
}

// TestCache checks the bounds, and how addresses end.
func TestCache(t *testing.T) {
	c, now := newCache(), time.Unix(1000, 0)
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range mostOfName + 10 {
		if changed, full := c.add("a", address(i), now.Add(time.Duration(i+1)*time.Second)); !changed || full {
			t.Fatal(i, changed, full)
		}
	}
	if _, had := c.names["a"][address(9)]; had || len(c.names["a"]) != mostOfName || c.total != mostOfName {
		t.Errorf("%d addresses, %d in all", len(c.names["a"]), c.total)
	}
	if changed, full := c.add("a", address(20), now); changed || full || !c.names["a"][address(20)].After(now) {
		t.Error("an earlier end counts")
	}
	dir := t.TempDir()
	if err := c.save(dir); err != nil {
		t.Fatal(err)
	}
	again := newCache()
	if err := again.load(dir, now); err != nil || !reflect.DeepEqual(again.with(nil), c.with(nil)) {
		t.Errorf("%v", err)
	}
	all := func(string) bool { return true }
	if !c.keep(now.Add(100*time.Second), all) || c.total != mostOfName-90 || c.keep(now.Add(100*time.Second), all) {
		t.Errorf("%d are left", c.total)
	}
	if !c.keep(now, func(string) bool { return false }) || c.total != 0 || len(c.names) != 0 {
		t.Errorf("%d are left", c.total)
	}
	full := 0
	for i := range mostAddresses + 100 {
		if _, f := c.add(fmt.Sprintf("n%d", i/6), address(i), now.Add(time.Hour)); f {
			full++
		}
	}
	if full != 100 || c.total != mostAddresses {
		t.Errorf("%d without room, %d in all", full, c.total)
	}
	if err := os.WriteFile(filepath.Join(dir, recordFile), []byte(`{"a": {"127.0.0.1": "2999-01-01T00:00:00Z", "203.0.113.1": "2999-01-01T00:00:00Z"}, "B C": {"203.0.113.1": "2999-01-01T00:00:00Z"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	again = newCache()
	if err := again.load(dir, now); err != nil || again.total != 1 || again.names["a"][netip.MustParseAddr("203.0.113.1")] != now.Add(longestTTL) {
		t.Errorf("%v %v", again.names, err)
	}
}

// TestListen checks whose directory a socket may be in.
func TestListen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dns")
	path := filepath.Join(dir, "tap.sock")
	for range 2 { // the second one finds the socket of the first
		l, err := Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		defer l.Close()
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v %v", info, err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "may write") {
		t.Errorf("a directory of everyone: %v", err)
	}
	if _, err := Listen("tap.sock"); err == nil {
		t.Error("a relative path is accepted")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chmod(filepath.Dir(file), 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(file); err == nil {
		t.Error("a file is replaced")
	}
}
