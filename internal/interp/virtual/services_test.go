package virtual_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/internal/interp/virtual"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

func TestFind(t *testing.T) {
	all, err := virtual.Read([]byte("-A -t 10.0.0.1:80 -s wrr -p 60\n-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 3\n-a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 1\n-a -t 10.0.0.1:80 -r 10.1.0.3:80 -m -w 0\n-A -f 7 -s rr\n"))
	if err != nil {
		t.Fatal(err)
	}
	find := func(dst string, proto ir.Protocol, mark uint32) *virtual.Service {
		p := space.New(eval.Packet{Src: netip.MustParseAddr("10.2.0.1"), Dst: netip.MustParseAddr(dst), Protocol: proto, Port: 80, From: eval.FromPod}.Box())
		return all.Find(p, mark, space.Destination.Value(), space.Port.Value())
	}
	s := find("10.0.0.1", ir.TCP, 0)
	if s == nil || s.Persistence != 60 || len(s.Endpoints) != 2 || !slices.Equal(s.Parts, []float64{0.75, 0.25}) {
		t.Errorf("%+v", s)
	}
	if find("10.0.0.1", ir.UDP, 0) != nil || find("10.0.0.2", ir.TCP, 0) != nil || find("10.0.0.1", ir.TCP, 9) != s {
		t.Error("another address or protocol, or a mark that no virtual service has")
	}
	if m := find("10.0.0.1", ir.TCP, 7); m == nil || m == s {
		t.Error("a mark comes first")
	}
	if !all.Has(false) || all.Has(true) {
		t.Error("families")
	}
}

func TestStrict(t *testing.T) {
	for _, text := range []string{
		"-A -t 10.0.0.1:0 -s rr\n", "-A -t 10.0.0.1:80 -s sed\n", "-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.1:80 -s rr\n",
		"-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1\n", "-A -f 7 -s rr -p 60\n-a -f 7 -r 10.1.0.1:80 -m -w 1\n",
	} {
		if _, err := virtual.Read([]byte(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}
