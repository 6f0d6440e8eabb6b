package live

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAsk asks about connections of every kind, without programs that are attached.
func TestAsk(t *testing.T) {
	p, _ := pins(t)
	n := &node{sockets: &Sockets{Dir: p.Dir}, pins: p}
	if _, err := n.sockets.Ask([]Question{{}}); !errors.Is(err, ErrNoImage) {
		t.Errorf("without maps: %v, want ErrNoImage", err)
	}
	n.load(t, socketProgram())
	at := netip.MustParseAddrPort
	questions := []Question{
		{To: at("[fd00:96::1]:80"), Protocol: unix.IPPROTO_TCP},
		{To: at("10.96.0.2:80"), Protocol: unix.IPPROTO_TCP, Node: true},
		{To: at("10.96.0.3:80"), Protocol: unix.IPPROTO_TCP},
		{To: at("10.244.1.1:8080"), Protocol: unix.IPPROTO_TCP},
		{To: at("192.0.2.1:30080"), Protocol: unix.IPPROTO_TCP, Draws: [2]uint32{1, 0}},
		{To: at("192.0.2.1:30080"), Protocol: unix.IPPROTO_UDP},
	}
	want := []Answer{
		{Verdict: 1, Endpoint: at("[fd00:1::1]:8080")},
		{Verdict: -int(unix.ECONNREFUSED), Endpoint: at("10.96.0.2:80")},
		{Verdict: -int(unix.EHOSTUNREACH), Endpoint: at("10.96.0.3:80")},
		{Endpoint: at("10.244.1.1:8080")},
		{Verdict: 1, Endpoint: at("10.244.1.2:8080")},
		{Endpoint: at("192.0.2.1:30080")},
	}
	got, err := n.sockets.Ask(questions)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v, %v", got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v: %+v, want %+v", questions[i], got[i], want[i])
		}
	}
	if r := got[1].Refusal(); r != unix.ECONNREFUSED {
		t.Errorf("a refusal is %v", r)
	}
}
