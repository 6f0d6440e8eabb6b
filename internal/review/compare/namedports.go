package compare

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/ir"
)

// The variants of named ports on a stand-in.
const (
	// maxNamedPorts is the number of names of one protocol up to which all sets of
	// names are examined: one port can have several names.
	maxNamedPorts = 3
	// maxNumbers bounds the port numbers behind the names of a pod.
	maxNumbers = 1024
	// maxSingles bounds the kinds of pods by what their named ports mean, where a name
	// means one number on a pod.
	maxSingles = 64
)

// namedPorts holds the possible numbers of named ports on pods outside of the input:
// any number. Numbers are split into cells that no rule distinguishes. In each cell,
// each set of names has its own number, so that one stand-in covers all of them. If
// a cell is too small for that, the pods have variants.
type namedPorts struct {
	// names are the names of all port sets, such as "http/tcp".
	names    []string
	variants []portVariant
	bounds   []string
}

// portVariant holds the numbers of the names on one kind of pods.
type portVariant struct {
	containers []corev1.Container
	special    []special
}

// special is a number with names.
type special struct {
	// protocol and cell index clusterwide.Ports.Spans; the names are indexes of namedPorts.
	protocol int
	number   int
	cell     clusterwide.Span
	names    []int
}

func newNamedPorts(reach *policy.Reach) *namedPorts {
	out := &namedPorts{variants: []portVariant{{}}}
	type group struct {
		protocol int
		sets     [][]int
		cells    []clusterwide.Span
	}
	var groups []group
	variants := 1
	for i, proto := range clusterwide.Protocols() {
		var own []int
		for _, n := range reach.Names {
			if text := n.Name + "/" + proto.String(); (n.Protocol == 0 || n.Protocol == proto) && !slices.Contains(out.names, text) {
				own = append(own, len(out.names))
				out.names = append(out.names, text)
			}
		}
		if len(own) == 0 {
			continue
		}
		g := group{i, sets(own, reach.Ordered && len(own) <= maxNamedPorts), cellsOf(proto, reach.Ranges)}
		if reach.Ordered && len(own) > maxNamedPorts {
			out.bounds = append(out.bounds, fmt.Sprintf("the policies name more than %d ports of %v, and one port may have several of the names", maxNamedPorts, proto))
		}
		if most := maxNumbers / len(g.sets); len(g.cells) > most {
			g.cells = g.cells[:max(most, 1)]
			out.bounds = append(out.bounds, fmt.Sprintf("the policies have more than %d ranges of %v ports, and named ports besides", len(g.cells), proto))
		}
		for _, c := range g.cells {
			if c.Last-c.First < len(g.sets) {
				variants = max(variants, 1+len(g.sets))
			}
		}
		groups = append(groups, g)
	}
	if reach.OneNumber {
		for _, g := range groups {
			out.single(g.protocol, g.sets, g.cells)
		}
		return out
	}
	out.variants = make([]portVariant, variants)
	for v := range out.variants {
		var list []special
		for _, g := range groups {
			for _, c := range g.cells {
				list = append(list, specials(g.protocol, c, g.sets, v)...)
			}
		}
		out.variants[v] = portVariant{out.containers(list), list}
	}
	return out
}

// single adds variants with one number each, for policies to which a name means one
// number on a pod.
func (n *namedPorts) single(protocol int, sets [][]int, cells []clusterwide.Span) {
	for _, c := range cells {
		for i, s := range sets {
			if len(n.variants) == maxSingles {
				n.bounds = append(n.bounds, fmt.Sprintf("the policies tell more than %d numbers of named ports apart", maxSingles))
				return
			}
			one := []special{{protocol, max(c.Last-i, c.First), c, s}}
			n.variants = append(n.variants, portVariant{n.containers(one), one})
		}
	}
}

// specials returns the numbers of one cell for the sets of names of a variant.
func specials(protocol int, c clusterwide.Span, sets [][]int, variant int) []special {
	var out []special
	if c.Last-c.First >= len(sets) { // and one number stays without a name
		for i, s := range sets {
			out = append(out, special{protocol, c.Last - i, c, s})
		}
	} else if 0 < variant && variant <= len(sets) {
		out = append(out, special{protocol, c.First, c, sets[variant-1]})
	}
	return out
}

func (n *namedPorts) containers(list []special) []corev1.Container {
	var c corev1.Container
	for _, s := range list {
		for _, name := range s.names {
			text, proto := n.names[name], clusterwide.Protocols()[s.protocol]
			c.Ports = append(c.Ports, corev1.ContainerPort{
				Name: text[:len(text)-len(proto.String())-1], ContainerPort: int32(s.number), Protocol: corev1Protocol(proto),
			})
		}
	}
	return []corev1.Container{c}
}

func corev1Protocol(p ir.Protocol) corev1.Protocol {
	switch p {
	case ir.UDP:
		return corev1.ProtocolUDP
	case ir.SCTP:
		return corev1.ProtocolSCTP
	}
	return corev1.ProtocolTCP
}

// sets returns all non-empty sets of the names, or only the sets of one name.
func sets(names []int, all bool) [][]int {
	var out [][]int
	for _, n := range names {
		out = append(out, []int{n})
	}
	if !all {
		return out
	}
	for bits := range 1 << len(names) {
		var set []int
		for i, n := range names {
			if bits>>i&1 == 1 {
				set = append(set, n)
			}
		}
		if len(set) > 1 {
			out = append(out, set)
		}
	}
	return out
}

// cellsOf splits the ports of a protocol where ranges begin and end. Containers
// have no port 0.
func cellsOf(proto ir.Protocol, ranges []ir.PortRange) []clusterwide.Span {
	begins := []int{1, clusterwide.LastPort + 1}
	for _, r := range ranges {
		if r.Protocol == proto {
			begins = append(begins, max(int(r.First), 1), int(r.Last)+1)
		}
	}
	slices.Sort(begins)
	begins = slices.Compact(begins)
	out := make([]clusterwide.Span, 0, len(begins))
	for i := range begins[1:] {
		out = append(out, clusterwide.Span{First: begins[i], Last: begins[i+1] - 1})
	}
	return out
}

// symbolic translates a port set of a stand-in to all pods that it represents:
// names replace the numbers that the stand-in gave them.
func (v *portVariant) symbolic(s clusterwide.Ports, names []string) clusterwide.Ports {
	if v == nil || len(v.special) == 0 {
		return s
	}
	out := clusterwide.Ports{Spans: s.Spans, Other: s.Other, Apart: s.Apart, Names: names, Named: make([]bool, len(names))}
	fates := make([]nameFate, len(names))
	for i := 0; i < len(v.special); {
		x := &v.special[i]
		j := i
		var given clusterwide.Ports
		for ; j < len(v.special) && v.special[j].protocol == x.protocol && v.special[j].cell == x.cell; j++ {
			n := v.special[j].number
			given.Spans[x.protocol] = append([]clusterwide.Span{{First: n, Last: n}}, given.Spans[x.protocol]...)
		}
		plain(&out, s, v.special[i:j], given, fates)
		i = j
	}
	for n, f := range fates {
		out.Named[n] = f.alone || f.some && !f.never
	}
	return out
}

// nameFate is how the cells treat a name: in the set somewhere, in it although its
// number is not, and not in it although its number is.
type nameFate struct{ some, alone, never bool }

// plain makes one cell equal to its numbers without a name, and records how names are
// treated.
func plain(s *clusterwide.Ports, raw clusterwide.Ports, list []special, given clusterwide.Ports, fates []nameFate) {
	p := list[0].protocol
	var cell clusterwide.Ports
	cell.Spans[p] = []clusterwide.Span{list[0].cell}
	rest := cell.Minus(given)
	in := !rest.Empty() && !rest.Intersect(raw).Empty()
	bare := s.Minus(cell)
	if in {
		bare = bare.Union(cell)
	}
	s.Spans = bare.Spans
	for _, x := range list {
		has := raw.Contains(clusterwide.Protocols()[p], uint16(x.number))
		for _, n := range x.names {
			fates[n].alone = fates[n].alone || has && !in
			if len(x.names) == 1 {
				fates[n].some = fates[n].some || has
				fates[n].never = fates[n].never || !has && in
			}
		}
	}
}
