package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// peer is one address set for rules. It is resolved when a node first needs it,
// and then shared by all.
type peer struct {
	id string
	// Exactly one of these is set.
	pods     *podSelector
	nodes    *selector
	networks *ir.AddressSet
	foreign  *clause.Peer
	// node is the node that a foreign peer is resolved for.
	node string

	once  sync.Once
	found []*pod
	set   ir.AddressSet
	names []named
	// split caches the parts for each named port: it maps namedPort to
	// []withPort.
	split sync.Map

	byPort sync.Once
	// withPort maps a port name to the pods that have it.
	withPort map[string][]*pod
}

// having returns the pods of the peer with a port of the name.
func (p *peer) having(name string) []*pod {
	p.byPort.Do(func() {
		p.withPort = make(map[string][]*pod)
		for _, pod := range p.found {
			for name := range pod.ports {
				p.withPort[name] = append(p.withPort[name], pod)
			}
		}
	})
	return p.withPort[name]
}

// has reports whether one of the peer's pods has the named port.
func (p *peer) has(n namedPort) bool {
	return slices.ContainsFunc(p.having(n.name), func(pod *pod) bool { return len(n.on(pod)) > 0 })
}

// peers deduplicates address sets by their text.
type peers struct {
	all map[string]*peer
	// known are the peers of an older model with the same cast.
	known map[string]*peer
	// added counts those that came since all were interned again.
	added int
}

// mostAdded is how many peers, beside half of all, may come before those that no policy has any
// more are dropped.
const mostAdded = 64

// next returns the peers for a model of the same cast. Most times these are the same ones:
// to intern the peers of all policies again costs more than one changed policy.
func (x *peers) next() (again *peers, same bool) {
	if x.added <= len(x.all)/2+mostAdded {
		return x, true
	}
	return &peers{all: make(map[string]*peer, len(x.all)), known: x.all}, false
}

func (x *peers) intern(p *peer) *peer {
	if have := x.all[p.id]; have != nil {
		return have
	}
	if have := x.known[p.id]; have != nil {
		p = have
	}
	x.all[p.id] = p
	x.added++
	return p
}

func (x *peers) ofPods(s podSelector) *peer { return x.intern(&peer{id: s.text(), pods: &s}) }

func (x *peers) ofNodes(s selector) *peer {
	return x.intern(&peer{id: "nodes " + s.text, nodes: &s})
}

// ofNetwork is a network without some of its parts.
func (x *peers) ofNetwork(cidr netip.Prefix, except []netip.Prefix) *peer {
	s := &ir.AddressSet{Prefixes: []netip.Prefix{cidr.Masked()}, Except: ir.DisjointPrefixes(except)}
	var id strings.Builder
	id.WriteString("net " + s.Prefixes[0].String())
	for i, e := range s.Except {
		word := ","
		if i == 0 {
			word = " except "
		}
		id.WriteString(word + e.String())
	}
	return x.intern(&peer{id: id.String(), networks: s})
}

// resolve finds the addresses of the peer.
func (p *peer) resolve(c *cast) {
	p.once.Do(func() {
		switch {
		case p.foreign != nil:
			p.resolveForeign(c)
		case p.networks != nil:
			p.set = *p.networks
		case p.nodes != nil:
			p.resolveNodes(c)
		default:
			p.found = p.pods.find(c)
			p.set.Addresses, p.names = c.addressesOf(p.found)
		}
		p.set.ID = p.id
		p.set.Normalize()
	})
}

func (p *peer) resolveNodes(c *cast) {
	for _, n := range c.nodes {
		if !p.nodes.Matches(n.labels) {
			continue
		}
		for _, a := range n.addresses {
			p.set.Addresses = append(p.set.Addresses, a)
			p.names = append(p.names, named{ir.Peer{Address: a, Name: n.name}, c.indexOf[a]})
		}
	}
	slices.SortFunc(p.set.Addresses, netip.Addr.Compare)
	p.set.Addresses = slices.Compact(p.set.Addresses)
}

// named is an address with its owner's name and its index in the cast's addresses.
// It is kept because a changed policy uses ten thousands of them again.
type named struct {
	ir.Peer
	index int
}

func (c *cast) addressesOf(pods []*pod) ([]netip.Addr, []named) {
	addrs, names := make([]netip.Addr, 0, len(pods)), make([]named, 0, len(pods))
	for _, p := range pods {
		for _, a := range p.addresses {
			addrs = append(addrs, a)
			names = append(names, named{ir.Peer{Address: a, Namespace: p.namespace.name, Name: p.name}, c.indexOf[a]})
		}
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return addrs, names
}

// withPort is the part of a peer's pods whose named ports have the same
// numbers.
type withPort struct {
	set   ir.AddressSet
	names []named
	ports []ir.PortRange
}

// splitByPort resolves a named port on every pod of the peer. Pods without the
// port, and peers other than pods, are in no part.
func (p *peer) splitByPort(c *cast, name namedPort) []withPort {
	if parts, known := p.split.Load(name); known {
		return parts.([]withPort)
	}
	parts := p.partsByPort(c, name)
	p.split.Store(name, parts)
	return parts
}

func (p *peer) partsByPort(c *cast, name namedPort) []withPort {
	groups := make(map[string][]*pod)
	ports := make(map[string][]ir.PortRange)
	for _, pod := range p.having(name.name) {
		ranges := name.on(pod)
		if len(ranges) == 0 {
			continue
		}
		key := portsText(ranges)
		groups[key], ports[key] = append(groups[key], pod), ranges
	}
	out := make([]withPort, 0, len(groups))
	for key, pods := range groups {
		w := withPort{ports: ports[key]}
		w.set.ID = fmt.Sprintf("%s with %s=%s", p.id, name, key)
		w.set.Addresses, w.names = c.addressesOf(pods)
		w.set.Normalize()
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b withPort) int { return strings.Compare(a.set.ID, b.set.ID) })
	return out
}
