package live

import (
	"context"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/ir"
)

// TestHits counts connections of Services while it is wanted, and no others.
func TestHits(t *testing.T) {
	n := newNode(t)
	if hits, err := n.sockets.Hits(); err != nil || len(hits) != 0 {
		t.Errorf("without programs: %v, %v", hits, err)
	}
	if err := n.sockets.Count(true); err == nil {
		t.Error("connections are counted without programs")
	}
	n.load(t, socketProgram())
	if _, err := n.sockets.Attach(context.Background()); err != nil {
		t.Fatal(err)
	}
	connect := func() {
		n.client(t, "tcp", "10.96.0.1:80", "3", "udp", "10.96.0.1:53", "2", "tcp", "10.96.0.2:80", "4", "tcp", "10.96.0.1:99", "1", "tcp", "10.244.1.1:8080", "1")
	}
	connect()
	web := image.ServiceID(ir.ServicePort{Namespace: "n", Name: "web", Protocol: ir.TCP})
	dns := image.ServiceID(ir.ServicePort{Namespace: "n", Name: "dns", Protocol: ir.UDP})
	empty := image.ServiceID(ir.ServicePort{Namespace: "n", Name: "empty", Protocol: ir.TCP})
	want := map[uint64]Hits{web: {Given: 3}, dns: {Given: 2}, empty: {Refused: 4}}
	for _, c := range []struct {
		on   bool
		want map[uint64]Hits
	}{{true, want}, {false, want}} {
		if err := n.sockets.Count(c.on); err != nil {
			t.Fatal(err)
		}
		connect()
		got, err := n.sockets.Hits()
		if d := gocmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("counting is %t: %v, -want +got:\n%s", c.on, err, d)
		}
	}
}
