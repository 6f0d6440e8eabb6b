package live

import (
	"errors"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// served is the artifact of a program with one Service of one endpoint.
func served(t *testing.T, address string) []byte {
	t.Helper()
	p := &ir.Program{
		Node: irtest.KitchenSink().Node, ClusterIPs: irtest.Addrs("10.96.0.1"),
		Pools:     []ir.Pool{irtest.Pool("pool", address)},
		Frontends: []ir.Frontend{irtest.Frontend(ir.ClusterIP, "svc", "10.96.0.1:80", "pool")},
	}
	p.Normalize()
	return emit(t, p)
}

// TestKeptSocket: changes of a Live share a socket, also after one that the kernel has refused,
// and each goes into the network namespace of its thread.
func TestKeptSocket(t *testing.T) {
	here, elsewhere := newRig(t), newRig(t)
	first := served(t, "10.1.1.1:80")
	for _, r := range []*rig{here, elsewhere} {
		r.apply(Diff(r.observe(), parse(t, string(first))))
	}
	l := NewLive(parse(t, string(first)))
	at := first
	change := func(r *rig, to []byte) error {
		t.Helper()
		p, err := l.Change(at, to)
		if err != nil {
			t.Fatal(err)
		}
		return r.Do(func() error { return Apply(t.Context(), p) })
	}
	taken := func(r *rig, to []byte) {
		t.Helper()
		p, err := l.Change(at, to)
		if err != nil {
			t.Fatal(err)
		}
		r.apply(p)
		l.Commit(p)
		at = to
		r.verify(parse(t, string(to)))
	}
	taken(here, served(t, "10.1.1.2:80"))
	socket := l.socket.conn
	taken(here, served(t, "10.1.1.3:80"))
	if l.socket.conn != socket || socket == nil {
		t.Error("the second change has another socket")
	}
	third := served(t, "10.1.1.4:80")
	// In another namespace the change goes into that one, whatever its kernel says to it.
	_ = change(elsewhere, third)
	here.verify(parse(t, string(at)))
	taken(here, third)

	here.nft("delete table ip planec")
	if err := change(here, served(t, "10.1.1.5:80")); !errors.Is(err, ErrDrift) {
		t.Errorf("without the table: %v", err)
	}
	if l.socket.conn != nil {
		t.Error("the socket of a refused change is kept")
	}
	here.apply(Diff(here.observe(), parse(t, string(at))))
	taken(here, served(t, "10.1.1.6:80"))
}
