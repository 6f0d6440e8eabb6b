package iptables_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// stickyProgram is one Service with affinity behind a ClusterIP, a load-balancer
// address whose external route has the local endpoints only, and a nodePort.
func stickyProgram(seconds uint32, endpoints ...string) *ir.Program {
	p := irtest.KitchenSink()
	p.Pools = []ir.Pool{irtest.Pool("sticky", endpoints...), irtest.Pool("sticky-local")}
	for _, e := range p.Pools[0].Endpoints {
		if e.Local {
			p.Pools[1].Endpoints = append(p.Pools[1].Endpoints, e)
		}
	}
	p.Frontends = []ir.Frontend{
		irtest.Frontend(ir.ClusterIP, "sticky", "10.96.0.1:90", "sticky"),
		irtest.Frontend(ir.LoadBalancer, "sticky", "203.0.113.3:90", "sticky"),
		irtest.Frontend(ir.NodePort, "sticky", "0.0.0.0:30090", "sticky"),
	}
	for i := range p.Frontends {
		p.Frontends[i].Affinity = seconds
	}
	p.Frontends[1].External = ir.Route{Pool: "sticky-local", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Drop}
	p.Normalize()
	return p
}

var (
	everywhere    = []string{"10.96.0.1:90", "192.168.9.1:30090"}
	fiveEndpoints = []string{"+10.1.0.2:9090", "+10.1.0.3:9090", "10.1.1.2:9090", "10.1.2.2:9090", "10.1.3.2:9090"}
)

// sticky is a rig with the program, and helpers to query it.
type sticky struct {
	*testing.T
	rig     *testkit.Rig
	variant string
	clients []string
}

func newSticky(t *testing.T, variant string, p *ir.Program, clients int) *sticky {
	s := &sticky{T: t, rig: testkit.New(t, testkit.SpecFor(p, nil)), variant: variant}
	for i := range clients {
		s.clients = append(s.clients, fmt.Sprintf("198.51.%d.%d", 100+i/200, 1+i%200))
	}
	s.load(p)
	return s
}

func (s *sticky) load(p *ir.Program) {
	s.Helper()
	mustLoad(s.T, s.rig, s.variant, emit(s.T, p, backends.DefaultOptions()))
}

// ask makes one connection from each client to each destination and returns the
// client's endpoint; every connection must be answered by the same one.
func (s *sticky) ask(destinations ...string) map[string]netip.AddrPort {
	s.Helper()
	got := make(map[string]netip.AddrPort)
	for _, dst := range destinations {
		to := netip.MustParseAddrPort(dst)
		var flows []testkit.Flow
		for _, c := range s.clients {
			flows = append(flows, testkit.Flow{From: eval.FromOutside, Src: netip.MustParseAddr(c), Dst: to.Addr(), Protocol: ir.TCP, Port: to.Port()})
		}
		outcomes, err := s.rig.Try(s.Context(), flows, testkit.Patience)
		if err != nil {
			s.Fatal(err)
		}
		for i, o := range outcomes {
			if o.Fate != testkit.Answered {
				s.Fatalf("%v: %v", flows[i], o)
			}
			if before, have := got[s.clients[i]]; have && before != o.Endpoint {
				s.Errorf("%v: %v, but %v answered before", flows[i], o.Endpoint, before)
			}
			got[s.clients[i]] = o.Endpoint
		}
	}
	return got
}

// stays wants the same answers as before from all clients.
func (s *sticky) stays(want map[string]netip.AddrPort, destinations ...string) {
	s.Helper()
	for c, e := range s.ask(destinations...) {
		if want[c] != e {
			s.Errorf("%s moved from %v to %v", c, want[c], e)
		}
	}
}

// TestAffinitySticks has more clients per endpoint than xt_recent remembers.
func TestAffinitySticks(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		p := stickyProgram(10800, fiveEndpoints...)
		s := newSticky(t, variant, p, 800)
		first := s.ask(everywhere...)
		s.stays(first, everywhere...)
		s.load(p)
		s.stays(first, everywhere...)
		counts := make(map[netip.AddrPort]int)
		for _, e := range first {
			counts[e]++
		}
		for _, e := range p.Pools[0].Endpoints {
			if counts[e.Address] < 110 {
				t.Errorf("the clients are not spread: %v", counts)
			}
		}
	})
}

// TestAffinityOverRoutes uses an address whose external pool is smaller: a client
// keeps its endpoint if that is in the pool, and otherwise gets another one.
func TestAffinityOverRoutes(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		s := newSticky(t, variant, stickyProgram(10800, fiveEndpoints...), 60)
		first := s.ask("10.96.0.1:90")
		local := s.ask("203.0.113.3:90")
		for _, c := range s.clients {
			isLocal := strings.HasPrefix(first[c].String(), "10.1.0.")
			if isLocal && local[c] != first[c] {
				t.Errorf("%s left %v for %v", c, first[c], local[c])
			}
			if !strings.HasPrefix(local[c].String(), "10.1.0.") {
				t.Errorf("%s got %v, which is not local", c, local[c])
			}
		}
		s.stays(local, everywhere...)
	})
}

// TestAffinityWhenEndpointsChange: only the clients of the removed endpoint move.
func TestAffinityWhenEndpointsChange(t *testing.T) {
	forVariants(t, func(t *testing.T, variant string) {
		s := newSticky(t, variant, stickyProgram(10800, fiveEndpoints...), 100)
		first := s.ask(everywhere...)
		s.load(stickyProgram(10800, append(fiveEndpoints[1:5:5], "10.1.4.2:9090")...))
		second := s.ask(everywhere...)
		for c, e := range second {
			if first[c] != e && first[c].String() != "10.1.0.2:9090" {
				t.Errorf("%s moved from %v to %v", c, first[c], e)
			}
		}
		s.stays(second, everywhere...)
	})
}

// TestAffinityExpires: the timeout starts with the last connection.
func TestAffinityExpires(t *testing.T) {
	require(t)
	s := newSticky(t, "legacy", stickyProgram(3, fiveEndpoints...), 100)
	first := s.ask("10.96.0.1:90")
	for range 4 {
		time.Sleep(time.Second)
		s.stays(first, "10.96.0.1:90")
	}
	time.Sleep(4 * time.Second)
	moved := 0
	for c, e := range s.ask("10.96.0.1:90") {
		if e != first[c] {
			moved++
		}
	}
	if moved < 50 {
		t.Errorf("only %d of 100 clients were drawn anew after the timeout", moved)
	}
}
