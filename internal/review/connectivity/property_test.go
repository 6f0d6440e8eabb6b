package connectivity_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
)

// TestEdgesAreTraces holds edges against following connections, on random clusters:
// between all pods, from and to samples of the networks outside, at both ends of every
// range of ports and one beyond, allowed and denied.
func TestEdgesAreTraces(t *testing.T) {
	counts := make(map[string]int)
	for seed := uint64(1); seed < 60; seed += 2 {
		set := randomcluster.New(seed).Objects
		set.Services, set.EndpointSlices = nil, nil // an address of a Service is another question
		cluster := compiler.Prepare(&set, objects.Config{})
		network := netpath.New(&set, cluster, netpath.Evaluator)
		m := connectivity.Of(&set, cluster, network)
		p := newProperty(t, seed, m, network, netpath.Pods(&set), counts)
		for i := range p.pods {
			for j := range p.pods {
				if i != j {
					p.pair(&p.pods[i], &p.pods[j])
				}
			}
			p.outside(&p.pods[i])
		}
	}
	for _, what := range []string{"allowed", "denied", "outside allowed", "outside denied"} {
		if counts[what] < 500 {
			t.Errorf("%s: only %d times in %v", what, counts[what], counts)
		}
	}
}

type property struct {
	t       *testing.T
	seed    uint64
	network *netpath.Network
	pods    []netpath.Pod
	edges   map[[2]string]*connectivity.Edge
	nets    map[string][]*connectivity.Edge // by pod, in both directions
	counts  map[string]int
}

func newProperty(t *testing.T, seed uint64, m *connectivity.Map, network *netpath.Network, pods []netpath.Pod, counts map[string]int) *property {
	p := &property{t: t, seed: seed, network: network, pods: pods, edges: make(map[[2]string]*connectivity.Edge), nets: make(map[string][]*connectivity.Edge), counts: counts}
	names := func(g connectivity.Group) (out []string) {
		for _, e := range g.Ends {
			for _, pod := range e.Pods {
				out = append(out, e.Namespace+"/"+pod)
			}
		}
		return out
	}
	for _, e := range m.Edges {
		from, to := names(e.From), names(e.To)
		for _, a := range from {
			for _, b := range to {
				if p.edges[[2]string{a, b}] != nil {
					t.Fatalf("seed %d: %s to %s has two edges", seed, a, b)
				}
				p.edges[[2]string{a, b}] = e
			}
		}
		if len(from) == 0 || len(to) == 0 {
			for _, pod := range append(from, to...) {
				p.nets[pod] = append(p.nets[pod], e)
			}
		}
	}
	return p
}

// pair asks about two pods.
func (p *property) pair(from, to *netpath.Pod) {
	p.t.Helper()
	src, dst, ok := netpath.Common(from.Addresses, to.Addresses, from.Primary)
	if !ok || (from.Place.Host || to.Place.Host) && from.Place.Node == to.Place.Node {
		return // a node reaches its own pods
	}
	var ports clusterwide.Ports
	if e := p.edges[[2]string{from.String(), to.String()}]; e != nil {
		ports = *e.Ports
	}
	p.ask(netpath.Connection{Src: src, Dst: dst, FromHost: from.Place.Host, Node: from.Place.Node}, ports, "")
}

// outside asks about a pod and one address of every network of its edges, and of none.
func (p *property) outside(pod *netpath.Pod) {
	p.t.Helper()
	if pod.Place.Host {
		return
	}
	asked := []netip.Addr{netip.MustParseAddr("203.0.113.77"), netip.MustParseAddr("2001:db8:ffff::77")}
	for _, e := range p.nets[pod.String()] {
		for _, n := range slices.Concat(e.From.Networks, e.To.Networks) {
			asked = append(asked, n.Addr(), ir.LastAddr(n))
		}
	}
	for _, a := range asked {
		own, has := pod.Addresses[ir.FamilyOf(a)]
		if o := p.network.Owner(a); !has || o.Pod || o.Host || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
			continue
		}
		var in, out clusterwide.Ports
		for _, e := range p.nets[pod.String()] {
			if ir.ContainsAddr(e.From.Networks, a) {
				in = in.Union(*e.Ports)
			}
			if ir.ContainsAddr(e.To.Networks, a) {
				out = out.Union(*e.Ports)
			}
		}
		p.ask(netpath.Connection{Src: a, Dst: own, Node: pod.Place.Node}, in, "outside ")
		p.ask(netpath.Connection{Src: own, Dst: a, Node: pod.Place.Node}, out, "outside ")
	}
}

// ask follows connections to the ends of every range, and to ports beside them.
func (p *property) ask(c netpath.Connection, ports clusterwide.Ports, what string) {
	p.t.Helper()
	for i, proto := range clusterwide.Protocols() {
		numbers := []int{1, 80, clusterwide.LastPort}
		for _, s := range ports.Spans[i] {
			numbers = append(numbers, s.First, s.Last, s.First-1, s.Last+1)
		}
		slices.Sort(numbers)
		for _, n := range slices.Compact(numbers) {
			if n < 1 || n > clusterwide.LastPort {
				continue
			}
			c.Protocol, c.Port = proto, uint16(n)
			o, err := p.network.Trace(c)
			if err != nil {
				p.t.Fatal(err)
			}
			want := ports.Contains(proto, uint16(n))
			if o.Reaches() != want {
				p.t.Fatalf("seed %d: %v to %v, %d/%v: the trace says %v, edges %v (%v)", p.seed, c.Src, c.Dst, n, proto, o.Verdict, want, ports)
			}
			p.counts[what+map[bool]string{true: "allowed", false: "denied"}[want]]++
		}
	}
}
