package proof

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// class is one kind of packets that planec treats differently from kube-proxy, on purpose.
type class struct {
	name, text string
	// modes are those of kube-proxy that have the difference.
	modes mode
	// is reports whether a difference is of the class.
	is func(m *meant, want, got *eval.Result, p *space.Packets) bool
	// reads, unless it is nil, returns the program as kube-proxy reads it. Then a difference
	// is of the class if is reports that it may be, and none is left of it, or only one of
	// another class, when the program is read so.
	reads func(*ir.Program) *ir.Program
}

// mode is a set of modes of kube-proxy.
type mode uint8

const (
	nftMode mode = 1 << iota
	iptablesMode
	ipvsMode
	allModes = nftMode | iptablesMode | ipvsMode
)

// classes are all documented differences; docs/proof.md has them too.
var classes = []class{
	{"claimed", "two Services claim one address, protocol and port: kube-proxy serves either of them, planec the older one, and a ClusterIP's Service before others (PLC0104)", allModes, isClaimed, nil},
	{"invalid", "a packet of no connection is dropped where the node would forward it; kube-proxy does so in its iptables mode only", nftMode, isInvalid, nil},
	{"hairpin", "an endpoint that connects to itself keeps its source if one of its entries in EndpointSlices is not of this node; planec looks at the address, which is, and it gets the node's", allModes, isHairpin, nil},
	{"remote-hairpin", "what comes from the address of an endpoint on another node, and is given that endpoint, gets the node's address in kube-proxy's iptables mode", iptablesMode, isRemoteHairpin, nil},
	{"entries", "two entries of EndpointSlices with one address have different conditions, hints or nodes: kube-proxy takes either of them, planec prefers one (PLC0202)", allModes, isEntry, nil},
	{"port", "a port of a ClusterIP that no Service has is refused; kube-proxy does so in its nftables mode only", iptablesMode, isUndefinedPort, nil},
	{"range", "an address of a Service range that no Service has is dropped; kube-proxy does so in its nftables mode only", iptablesMode | ipvsMode, isUnallocated, nil},
	{"nodeport-addresses", "without nodePortAddresses, kube-proxy's iptables and IPVS modes serve nodePorts at every address of the node, planec at the primary ones", iptablesMode | ipvsMode, isEveryAddress, nil},
	{"idle-nodeport", "in its iptables and IPVS modes, kube-proxy refuses the number of a nodePort without an endpoint at every address of the node; planec leaves alone the addresses that serve no nodePorts", iptablesMode | ipvsMode, isIdleNodePort, nil},
	{"idle-external", "in its iptables mode, kube-proxy lets out what the node itself sends to an outside address of a Service without an endpoint; planec refuses it", iptablesMode, isIdleExternal, nil},
	{"idle-ranges", "in its iptables mode, kube-proxy refuses every client of a load balancer's address without an endpoint; planec drops those outside of the source ranges", iptablesMode, isIdleRanges, nil},

	{"local", "with a traffic policy Local, kube-proxy's IPVS mode gives every client the node's endpoints, and all endpoints if the node has none; planec gives clients on the node all endpoints of an outside address, and refuses others if the node has none", ipvsMode, isLocalPolicy, readLocal},
	{"local-unlisted", "as `local`, of a Service port whose outside addresses another Service claims, so that the program does not list its endpoints of other nodes: it is checked that the endpoints are of other nodes, not that they are the Service's", ipvsMode, isUnlisted, nil},
	{"node-ranges", "in its IPVS mode, kube-proxy does not apply source ranges to what the node sends from an address of its own", ipvsMode, isNodeRanges, readNodeRanges},
	{"segment", "in IPVS mode, a TCP segment without SYN of no known connection gets no endpoint: the node itself answers it", ipvsMode, isSegment, nil},
	{"address", "in IPVS mode, an address of a load balancer and an external address are the node's, so that their other ports and protocols are refused; planec leaves them alone", ipvsMode, isBoundAddress, nil},
	{"health-port", "in IPVS mode, the number of a healthCheckNodePort is not refused at virtual addresses: the node itself answers it", ipvsMode, isHealthPort, nil},
	{"itself", "in its IPVS mode, kube-proxy gives what an endpoint of this node sends to itself without a Service the node's address", ipvsMode, isToItself, nil},
	{"loopback", "in its IPVS mode, kube-proxy does not masquerade what the node sends from a loopback address", ipvsMode, isLoopback, readLoopback},
	{"nodeport-source", "in its IPVS mode, kube-proxy masquerades what the node sends to itself at the number of a nodePort, where no nodePort is served", ipvsMode, isNodePortSource, nil},
	{"virtual-source", "in IPVS mode, a client on the node that has bound no address sends from the virtual address: kube-proxy masquerades it to a ClusterIP even without a detector of local pods, and an endpoint at an address of the node is not the client", ipvsMode, isVirtualSource, readVirtual},
}

// meant counts documented differences.
type meant struct {
	program *ir.Program
	// claimed are the matches that two Services claim.
	claimed []ir.Match
	// modes is the mode whose rules judge packets.
	modes func(*space.Packets) mode
	// elsewhere are addresses that an entry has whose node is not this one.
	elsewhere map[netip.Addr]bool
	// twice are the endpoints with several entries.
	twice map[netip.AddrPort]bool
	// twiceIn are the entries that are not used.
	twiceIn []ir.Origin
	same    func(want, got *eval.Result, p *space.Packets) string
	count   []int
	// own4 and own6 are the node's addresses, bound those of IPVS's device.
	own4, own6 space.Set
	bound      map[bool]space.Set
	// readings are the programs of classes that read it otherwise, by their places in classes.
	readings map[string]*eval.Evaluator
	// virtual says that the packets are of clients which have bound no address, and have the
	// virtual address as their source for kube-proxy.
	virtual bool
}

func newMeant(p *ir.Program, facts *Facts, modes func(*space.Packets) mode) *meant {
	found := facts.Found
	o := outcomes{shares: true}
	m := &meant{program: p, modes: modes, elsewhere: facts.Elsewhere, claimed: claimedBy(found), twice: make(map[netip.AddrPort]bool), same: o.same, count: make([]int, len(classes)), readings: make(map[string]*eval.Evaluator)}
	m.own4, m.own6 = space.Own(p.Node.Addresses)
	m.addTwice(found)
	return m
}

// covers reports whether a difference is documented, and counts it: it is of a class, or
// nothing is left of it but for another class when the program is read as kube-proxy reads it.
func (m *meant) covers(want, got *eval.Result, p *space.Packets) bool {
	if m.isOf(want, got, p) {
		return true
	}
	var may []int
	for i := range classes {
		if c := &classes[i]; c.reads != nil && c.modes&m.modes(p) != 0 && c.is(m, want, got, p) {
			may = append(may, i)
		}
	}
	for _, list := range subsets(may) {
		read := m.reading(list).EvalAll(p)
		if m.same(&read, got, p) == "" || m.isOf(&read, got, p) {
			for _, i := range list {
				m.count[i]++
			}
			return true
		}
	}
	return false
}

// subsets are those of a list, without the empty one, the smallest first.
func subsets(list []int) (out [][]int) {
	for bits := 1; bits < 1<<len(list); bits++ {
		var some []int
		for i, n := range list {
			if bits>>i&1 == 1 {
				some = append(some, n)
			}
		}
		out = append(out, some)
	}
	slices.SortStableFunc(out, func(a, b []int) int { return len(a) - len(b) })
	return out
}

// isOf reports whether a difference is of a class that reads the program as planec does, and
// counts it.
func (m *meant) isOf(want, got *eval.Result, p *space.Packets) bool {
	at := slices.IndexFunc(classes, func(c class) bool {
		return c.reads == nil && c.modes&m.modes(p) != 0 && c.is(m, want, got, p)
	})
	if at >= 0 {
		m.count[at]++
	}
	return at >= 0
}

// reading evaluates the program as classes read it.
func (m *meant) reading(list []int) *eval.Evaluator {
	key := fmt.Sprint(list)
	if m.readings[key] == nil {
		p := m.program
		for _, i := range list {
			p = classes[i].reads(p)
		}
		m.readings[key] = eval.New(p)
	}
	return m.readings[key]
}

func (m *meant) list() (out []Meant) {
	for i, n := range m.count {
		if n > 0 {
			out = append(out, Meant{classes[i].name, classes[i].text, n})
		}
	}
	return out
}

// claimedBy reads from diagnostics which matches two Services claim.
func claimedBy(found []diag.Diagnostic) (out []ir.Match) {
	for _, d := range found {
		words := strings.Fields(d.Message)
		if d.Code != diag.ClaimedFrontend || len(words) < 2 {
			continue
		}
		to, proto, _ := strings.Cut(strings.TrimSuffix(words[1], ":"), "/")
		m := ir.Match{}
		for _, p := range ir.Protocols() {
			if p.String() == proto {
				m.Protocol = p
			}
		}
		if a, err := netip.ParseAddrPort(to); err == nil {
			m.Address, m.Port, m.Family = a.Addr(), a.Port(), ir.FamilyOf(a.Addr())
		} else if port, err := strconv.ParseUint(to[strings.LastIndexByte(to, ':')+1:], 10, 16); err == nil {
			m.Port = uint16(port)
		}
		out = append(out, m)
	}
	return out
}

// addTwice reads from diagnostics which endpoints have several entries.
func (m *meant) addTwice(found []diag.Diagnostic) {
	for _, d := range found {
		word, _, _ := strings.Cut(d.Message, " ")
		if a, err := netip.ParseAddrPort(word); err == nil && d.Code == diag.DuplicateEndpoint {
			m.twice[a] = true
			m.twiceIn = append(m.twiceIn, d.Origin)
		}
	}
}

func isFirst(p *space.Packets) bool { return p.Is(space.State, space.N(uint64(eval.FirstPacket))) }

func isClaimed(m *meant, _, _ *eval.Result, p *space.Packets) bool {
	return slices.ContainsFunc(m.claimed, func(c ir.Match) bool {
		if c.Address.IsValid() && (c.Address.Is4() == p.IPv6() || !p.Is(space.Destination, space.Addr(c.Address))) {
			return false
		}
		return p.Is(space.Protocol, space.N(uint64(c.Protocol))) && p.Is(space.Port, space.N(uint64(c.Port))) && isFirst(p)
	})
}

// isEntry reports whether the results differ in endpoints with several entries, or in what
// depends on whether such a one is ready and has hints: whether others are used. Then one of
// the results has all endpoints with one entry that the other has.
func isEntry(m *meant, want, got *eval.Result, p *space.Packets) bool {
	if want.Frontend == nil || !isFirst(p) || want.Affinity != got.Affinity && want.Verdict == got.Verdict {
		return false
	}
	if refuses(want) && refuses(got) {
		return m.mayBeOf(want.Frontend.Service)
	}
	w, g := reached(want.Endpoints), reached(got.Endpoints)
	onlyW, onlyG, several := 0, 0, false
	for _, lists := range [][2][]eval.Choice{{w, g}, {g, w}} {
		for _, c := range lists[0] {
			at := slices.IndexFunc(lists[1], func(o eval.Choice) bool { return o.Address == c.Address })
			switch several = several || m.twice[c.Address]; {
			case at >= 0 && lists[1][at].Masquerade != c.Masquerade && !p.Is(space.Source, space.Addr(c.Address.Addr())):
				return false
			case at >= 0 || m.twice[c.Address]:
			case len(w) > 0 && &lists[0][0] == &w[0]:
				onlyW++
			default:
				onlyG++
			}
		}
	}
	return several && (onlyW == 0 || onlyG == 0) && differentShares(got, uniform(g)) == ""
}

func refuses(r *eval.Result) bool { return r.Verdict == eval.Drop || r.Verdict == eval.Reject }

// mayBeOf reports whether an endpoint with several entries is in a slice whose name begins as
// those that Kubernetes makes for the Service: of endpoints that nothing uses, the program has
// no Service.
func (m *meant) mayBeOf(s ir.ServicePort) bool {
	return slices.ContainsFunc(m.twiceIn, func(o ir.Origin) bool { return o.Namespace == s.Namespace && strings.HasPrefix(o.Name, s.Name+"-") })
}

// uniform is a result with the same share for each endpoint.
func uniform(list []eval.Choice) *eval.Result {
	r := &eval.Result{Endpoints: slices.Clone(list)}
	for i := range r.Endpoints {
		r.Endpoints[i].Share = 1 / float64(len(list))
	}
	return r
}

func isInvalid(m *meant, want, got *eval.Result, p *space.Packets) bool {
	return m.program.Node.DropInvalid && want.Verdict == eval.Drop && got.Verdict == eval.Pass && p.Is(space.State, space.N(uint64(eval.Invalid)))
}

// isHairpin reports whether the results differ only in the masquerade of endpoints that would
// connect to themselves, which kube-proxy does not take for local ones.
func isHairpin(m *meant, want, got *eval.Result, p *space.Packets) bool {
	return m.onlyMasquerade(want, got, p, func(w, g eval.Choice) bool {
		return w.Hairpin && w.Masquerade && !g.Masquerade && m.elsewhere[w.Address.Addr()]
	})
}

// isRemoteHairpin reports whether they differ only in that of endpoints of other nodes.
func isRemoteHairpin(m *meant, want, got *eval.Result, p *space.Packets) bool {
	return m.onlyMasquerade(want, got, p, func(w, g eval.Choice) bool {
		return !w.Hairpin && !w.Masquerade && g.Masquerade && p.Is(space.Source, space.Addr(w.Address.Addr()))
	})
}

// onlyMasquerade reports whether two results with the same endpoints differ only in the
// masquerade of those for which it is meant, and in that of one at least.
func (m *meant) onlyMasquerade(want, got *eval.Result, p *space.Packets, meant func(w, g eval.Choice) bool) bool {
	if want.Verdict != eval.DNAT || got.Verdict != eval.DNAT {
		return false
	}
	w, g := reached(want.Endpoints), reached(got.Endpoints)
	if !slices.EqualFunc(w, g, func(a, b eval.Choice) bool { return a.Address == b.Address }) {
		return false
	}
	changed, like := false, *got
	like.Endpoints = slices.Clone(g)
	for i := range w {
		if meant(w[i], g[i]) {
			like.Endpoints[i].Masquerade, changed = w[i].Masquerade, true
		}
	}
	like.Masquerade = !slices.ContainsFunc(like.Endpoints, func(c eval.Choice) bool { return !c.Masquerade })
	return changed && m.same(want, &like, p) == ""
}

// passes reports whether nothing happens to the packets.
func passes(r *eval.Result) bool { return r.Verdict == eval.Pass && !r.Masquerade }

func isUndefinedPort(m *meant, want, got *eval.Result, p *space.Packets) bool {
	return want.Frontend == nil && want.Verdict == eval.Reject && passes(got) && isFirst(p)
}

func isUnallocated(m *meant, want, got *eval.Result, p *space.Packets) bool {
	return want.Frontend == nil && want.Verdict == eval.Drop && passes(got) && isFirst(p)
}

// isEveryAddress reports whether packets go to the number of a nodePort at an address of the
// node that serves none, and get endpoints of that nodePort.
func isEveryAddress(m *meant, want, got *eval.Result, p *space.Packets) bool {
	if want.Frontend != nil || !passes(want) || got.Verdict != eval.DNAT || !isFirst(p) || !m.toNode(p) {
		return false
	}
	return slices.ContainsFunc(m.program.Frontends, func(f ir.Frontend) bool {
		return !f.Match.Address.IsValid() && (f.Match.Family == ir.IPv6) == p.IPv6() &&
			p.Is(space.Protocol, space.N(uint64(f.Match.Protocol))) && p.Is(space.Port, space.N(uint64(f.Match.Port))) &&
			!slices.ContainsFunc(got.Endpoints, func(c eval.Choice) bool {
				return !m.twice[c.Address] && !m.has(f.Internal, c.Address) && !m.has(f.External, c.Address)
			})
	})
}

// has reports whether a route has an endpoint.
func (m *meant) has(r ir.Route, a netip.AddrPort) bool {
	return slices.ContainsFunc(m.program.Pools, func(p ir.Pool) bool {
		return p.ID == r.Pool && slices.ContainsFunc(p.Endpoints, func(e ir.Endpoint) bool { return e.Address == a })
	})
}

// isIdleNodePort reports whether packets go to the number of a nodePort, at an address of the
// node that serves none.
func isIdleNodePort(m *meant, want, got *eval.Result, p *space.Packets) bool {
	if want.Frontend != nil || !passes(want) || !refuses(got) || !isFirst(p) || !m.toNode(p) {
		return false
	}
	return slices.ContainsFunc(m.program.Frontends, func(f ir.Frontend) bool {
		return !f.Match.Address.IsValid() && (f.Match.Family == ir.IPv6) == p.IPv6() && (m.empty(f.Internal) || m.empty(f.External)) &&
			p.Is(space.Protocol, space.N(uint64(f.Match.Protocol))) && p.Is(space.Port, space.N(uint64(f.Match.Port)))
	})
}

func isIdleExternal(m *meant, want, got *eval.Result, p *space.Packets) bool {
	f := want.Frontend
	return f != nil && f.Kind != ir.ClusterIP && f.Match.Address.IsValid() && refuses(want) && passes(got) && isFirst(p) &&
		p.Is(space.Entry, space.N(uint64(eval.FromNode))) && (m.empty(f.Internal) || m.empty(f.External))
}

// toNode reports whether the packets go to an address of the node.
func (m *meant) toNode(p *space.Packets) bool {
	if p.IPv6() {
		return p.In(space.Destination, &m.own6)
	}
	return p.In(space.Destination, &m.own4)
}

func isIdleRanges(m *meant, want, got *eval.Result, p *space.Packets) bool {
	f := want.Frontend
	return f != nil && len(f.SourceRanges) > 0 && want.Verdict == eval.Drop && got.Verdict == eval.Reject && isFirst(p) && m.empty(f.External)
}

// empty reports whether a route has no endpoint, for kube-proxy: none with one entry.
func (m *meant) empty(r ir.Route) bool {
	return slices.ContainsFunc(m.program.Pools, func(p ir.Pool) bool {
		return p.ID == r.Pool && !slices.ContainsFunc(p.Endpoints, func(e ir.Endpoint) bool { return !m.twice[e.Address] })
	})
}
