package compare

import (
	"strings"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
)

// TestExposures holds what is said to be open against the policies of the pods that exist:
// what is open to the whole cluster is open to each of them.
func TestExposures(t *testing.T) {
	counts := make(map[Exposed]int)
	for seed := uint64(1); seed < 240; seed += 2 {
		set := randomcluster.New(seed).Objects
		set.Services, set.EndpointSlices = nil, nil
		s := NewState(&set, compiler.Prepare(&set, objects.Config{}))
		x := newSide(s, &universe{standIns: &standIns{}, names: &namedPorts{}}, make(clusterwide.Interned))
		list, _ := Exposures(s)
		for i := range list {
			e := &list[i]
			counts[e.To]++
			if e.Ports.Empty() || e.Peers == "" || strings.Contains(e.Peers, "  ") {
				t.Fatalf("seed %d: %+v", seed, e)
			}
			if e.To == WholeCluster {
				openToAll(t, x, e)
			}
		}
	}
	for _, to := range []Exposed{WholeCluster, Lacking} {
		if counts[to] < 30 {
			t.Errorf("%v: kind %d occurs hardly", counts, to)
		}
	}
}

// openToAll asks the policies of some pod of the workload about all other pods.
func openToAll(t *testing.T, x *side, e *Exposure) {
	t.Helper()
	ok := false
	for i := range x.pods {
		p := &x.pods[i]
		if p.Namespace != e.Namespace || p.Workload != e.Name || p.Place.Host {
			continue
		}
		ok = ok || openTo(x, e, p)
	}
	if !ok {
		t.Errorf("%s/%s %v: not open to every pod on %v", e.Namespace, e.Name, e.Direction, e.Ports)
	}
}

// openTo reports whether the ports are open from or to every other pod.
func openTo(x *side, e *Exposure, p *netpath.Pod) bool {
	for j := range x.pods {
		q := &x.pods[j]
		if p == q || q.Place.Host {
			continue
		}
		from, to := q, p
		if e.Direction == ir.Egress {
			from, to = p, q
		}
		src, dst, ok := netpath.Common(from.Addresses, to.Addresses, from.Primary)
		if !ok {
			continue
		}
		own, peer := dst, src
		if e.Direction == ir.Egress {
			own, peer = src, dst
		}
		if missing := e.Ports.Minus(*x.Allowed(e.Direction, own, peer)); missing.Ranges() > 0 || missing.Other {
			return false
		}
	}
	return true
}
