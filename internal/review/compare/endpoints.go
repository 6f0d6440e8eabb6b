package compare

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
)

// compareEndpoints compares the endpoints of each port of a Service, over all nodes.
func (c *serviceComparison) compareEndpoints(name objects.Name, old, fresh []*front) {
	was, is := endpointsByPort(old), endpointsByPort(fresh)
	type told struct{ kind, text string }
	seen := make(map[told][]string)
	var order []told
	note := func(kind diffreport.Kind, port ir.ServicePort, text string) {
		t := told{string(kind), text}
		if _, known := seen[t]; !known {
			order = append(order, t)
		}
		seen[t] = append(seen[t], port.Port)
	}
	for _, port := range ports(fresh) {
		a, known := was[port]
		b := is[port]
		switch {
		case !known || slices.Equal(a, b):
		case len(b) == 0:
			note(diffreport.Closed, port, fmt.Sprintf("has no endpoints any more: connections to it are %s", refusalsOf(fresh, port)))
		case len(a) == 0:
			note(diffreport.Opened, port, "has endpoints now: "+c.names(c.after.state, b))
		default:
			note(diffreport.Endpoints, port, c.exchanged(a, b))
			c.compareUsers(name, port, a, b)
		}
	}
	for _, t := range order {
		f := c.add(name, diffreport.Kind(t.kind), c.becauseOfSlices(name), "Service %v%s %s", name, portList(seen[t], len(is)), t.text)
		f.Urgent = f.Kind == diffreport.Closed
	}
}

// portList names ports, or returns "" for all ports of the Service.
func portList(names []string, all int) string {
	if len(names) == all {
		return ""
	}
	return " port " + clusterwide.Join(names, "and")
}

func endpointsByPort(list []*front) map[ir.ServicePort][]netip.AddrPort {
	out := make(map[ir.ServicePort][]netip.AddrPort)
	for _, f := range list {
		out[f.service] = append(out[f.service], f.endpoints()...)
	}
	for port, list := range out {
		slices.SortFunc(list, netip.AddrPort.Compare)
		out[port] = slices.Compact(list)
	}
	return out
}

func ports(list []*front) []ir.ServicePort {
	var out []ir.ServicePort
	for _, f := range list {
		if !slices.Contains(out, f.service) {
			out = append(out, f.service)
		}
	}
	return out
}

func without(a, b []netip.AddrPort) []netip.AddrPort {
	return slices.DeleteFunc(slices.Clone(a), func(x netip.AddrPort) bool {
		_, found := slices.BinarySearchFunc(b, x, netip.AddrPort.Compare)
		return found
	})
}

// exchanged describes which endpoints came and went, and the new port if
// unchanged pods are reached at another one.
func (c *serviceComparison) exchanged(a, b []netip.AddrPort) string {
	lost, got := without(a, b), without(b, a)
	stay := func(list, others []netip.AddrPort) (kept, rest []netip.AddrPort) {
		for _, x := range list {
			if slices.ContainsFunc(others, func(y netip.AddrPort) bool { return x.Addr() == y.Addr() }) {
				kept = append(kept, x)
			} else {
				rest = append(rest, x)
			}
		}
		return kept, rest
	}
	from, lost2 := stay(lost, got)
	to, got2 := stay(got, lost)
	var parts []string
	if len(to) > 0 {
		parts = append(parts, fmt.Sprintf("now goes to port %s of its endpoints, not %s", portsOf(to), portsOf(from)))
	}
	switch {
	case len(lost2) > 0 && len(got2) > 0:
		parts = append(parts, fmt.Sprintf("has %s where it had %d: lost %s, got %s", diffreport.Several(len(b), "endpoint"), len(a), c.names(c.before.state, lost2), c.names(c.after.state, got2)))
	case len(lost2) > 0:
		parts = append(parts, fmt.Sprintf("lost %d of %s: %s", len(lost2), diffreport.Several(len(a), "endpoint"), c.names(c.before.state, lost2)))
	case len(got2) > 0:
		parts = append(parts, fmt.Sprintf("got %s besides its %d: %s", diffreport.Several(len(got2), "more endpoint"), len(a), c.names(c.after.state, got2)))
	}
	return strings.Join(parts, ", and ")
}

func portsOf(list []netip.AddrPort) string {
	var out []string
	for _, a := range list {
		if p := fmt.Sprint(a.Port()); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return clusterwide.Join(out, "and")
}

// names formats endpoints as pods; both addresses of a pod are one name.
func (c *serviceComparison) names(s *State, list []netip.AddrPort) string {
	const most = 3
	var names []string
	for _, a := range list {
		name := a.String()
		if p := s.Network.Owner(a.Addr()); p.Pod {
			name = p.Namespace + "/" + p.Name
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > most+1 {
		names = append(names[:most], fmt.Sprintf("%d more", len(names)-most))
	}
	return clusterwide.Join(names, "and")
}

// refusalsOf describes how a port without endpoints answers.
func refusalsOf(list []*front, port ir.ServicePort) string {
	var words []string
	for _, f := range list {
		if f.service != port {
			continue
		}
		for _, r := range f.nodes {
			for _, x := range []choice{r.internal, r.external} {
				if w := refusalWord(x.onEmpty); !slices.Contains(words, w) {
					words = append(words, w)
				}
			}
		}
	}
	slices.Sort(words)
	return clusterwide.Join(words, "or")
}

func refusalWord(r ir.Refusal) string {
	if r == ir.Drop {
		return "dropped"
	}
	return "rejected"
}

// compareRanges compares the sources that load balancers admit.
func (c *serviceComparison) compareRanges(name objects.Name, both [][2]*front) {
	for _, pair := range both {
		was, is := pair[0].ranges, pair[1].ranges
		if slices.Equal(was, is) {
			continue
		}
		kind, verb := diffreport.Opened, "admits others now"
		switch {
		case covers(is, was) && !covers(was, is):
			verb = "is open to more sources"
		case covers(was, is):
			kind, verb = diffreport.Closed, "is open to fewer sources"
		}
		f := c.add(name, kind, c.because(name, "spec.loadBalancerSourceRanges"), "%s of Service %v %s: from %s (before, from %s)", pair[1].where(), name, verb, rangeList(is), rangeList(was))
		f.Urgent = kind == diffreport.Opened
		if _, everybody := c.clients([]*front{pair[1]}); len(is) == 0 && !everybody {
			f.Besides = "Policies still keep some of them from its endpoints"
		}
	}
}

// covers reports whether a admits every source of b; an empty list admits all.
func covers(a, b []netip.Prefix) bool {
	if len(a) == 0 {
		return true
	}
	return len(b) > 0 && !slices.ContainsFunc(b, func(p netip.Prefix) bool {
		return !slices.ContainsFunc(a, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) })
	})
}

func rangeList(list []netip.Prefix) string {
	const most = 4
	if len(list) == 0 {
		return "everywhere"
	}
	var names []string
	for i, p := range list {
		if i == most {
			names = append(names, fmt.Sprintf("%d more", len(list)-most))
			break
		}
		names = append(names, p.String())
	}
	return strings.Join(names, ", ")
}
