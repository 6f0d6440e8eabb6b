package ipvs

import (
	"net/netip"
	"strconv"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/ir"
)

// setName is the part of a set's name after prefix and family.
type setName string

// The sets. Each exists for both families, even if it is empty, so that the rules
// are the same for every program.
const (
	served           setName = "services"
	vips             setName = "vips"
	restricted       setName = "restricted"
	ranges           setName = "ranges"
	dropInside       setName = "drop-inside"
	dropOutside      setName = "drop-outside"
	rejectInside     setName = "reject-inside"
	rejectOutside    setName = "reject-outside"
	masqPods         setName = "masq-pods"
	masqNode         setName = "masq-node"
	masqOutside      setName = "masq-outside"
	routesPods       setName = "routes-pods"
	routesNode       setName = "routes-node"
	hairpins         setName = "hairpin"
	clusterIPs       setName = "cluster-ips"
	serviceCIDRs     setName = "service-cidrs"
	egressExclusions setName = "egress-exclusions"
	health           setName = "health"
)

// setKind is the type of a set, and whether its entries have marks or comments.
type setKind struct {
	name     setName
	of       string
	marks    bool
	comments bool
}

// setKinds has the sets in output order.
var setKinds = []setKind{
	{name: served, of: "hash:ip,port", comments: true},
	{name: vips, of: "hash:ip"},
	{name: restricted, of: "hash:ip,port", comments: true},
	{name: ranges, of: "hash:ip,port,net"},
	{name: dropInside, of: "hash:ip,port", comments: true},
	{name: dropOutside, of: "hash:ip,port", comments: true},
	{name: rejectInside, of: "hash:ip,port", comments: true},
	{name: rejectOutside, of: "hash:ip,port", comments: true},
	{name: masqPods, of: "hash:ip,port"},
	{name: masqNode, of: "hash:ip,port"},
	{name: masqOutside, of: "hash:ip,port"},
	{name: routesPods, of: "hash:ip,port", marks: true},
	{name: routesNode, of: "hash:ip,port", marks: true},
	{name: hairpins, of: "hash:ip,port,ip"},
	{name: clusterIPs, of: "hash:ip"},
	{name: serviceCIDRs, of: "hash:net"},
	{name: egressExclusions, of: "hash:net"},
	{name: health, of: "hash:ip,port"},
}

// set collects the elements of one ipset.
type set struct {
	kind     setKind
	comments bool
	add      string
	b        []byte
}

type sets struct {
	family ir.Family
	byName map[setName]*set
}

func newSets(f ir.Family, comments bool) sets {
	s := sets{family: f, byName: make(map[setName]*set, len(setKinds))}
	for _, k := range setKinds {
		s.byName[k.name] = &set{kind: k, comments: comments && k.comments, add: "add " + fullName(f, k.name) + nextSuffix + " "}
	}
	return s
}

func (s *sets) of(n setName) *set { return s.byName[n] }

// fullName returns the set's name in the kernel (at most 31 bytes,
// IPSET_MAXNAMELEN).
func fullName(f ir.Family, n setName) string {
	return xtables.SetPrefix + strconv.Itoa(int(f)) + "-" + string(n)
}

// nextSuffix ends the name of the temporary set that replaces a set.
const nextSuffix = xtables.NextSuffix

// appendSets writes every set: it fills a temporary set and swaps it in, so that
// no packet sees a half-filled set.
func (t *table) appendSets(b []byte) []byte {
	for _, k := range setKinds {
		s := t.sets.of(k.name)
		b = s.appendTo(b, fullName(t.family, k.name), t.family)
	}
	return t.appendPolicySets(b)
}

func (s *set) appendTo(b []byte, name string, f ir.Family) []byte {
	b = s.appendCreate(b, name, f)
	b = s.appendCreate(b, name+nextSuffix, f)
	b = append(b, "flush "+name+nextSuffix+"\n"...)
	b = append(b, s.b...)
	b = append(b, "swap "+name+" "+name+nextSuffix+"\n"...)
	return append(b, "destroy "+name+nextSuffix+"\n"...)
}

// maxElements is the same for every set, because a set with another limit can
// neither be created again nor swapped. ipset allocates memory on demand.
const maxElements = xtpolicy.MaxElements

func (s *set) appendCreate(b []byte, name string, f ir.Family) []byte {
	family := "inet"
	if f == ir.IPv6 {
		family = "inet6"
	}
	b = append(b, "create "+name+" "+s.kind.of+" family "+family+" hashsize 1024 maxelem "+maxElements...)
	if s.comments {
		b = append(b, " comment"...)
	}
	if s.kind.marks {
		b = append(b, " skbinfo"...)
	}
	return append(b, '\n')
}

func (s *set) addAddr(a netip.Addr) {
	s.b = append(a.AppendTo(append(s.b, s.add...)), '\n')
}

// addPrefix adds a prefix. A prefix of length 0, which ipset does not accept, is
// added as two halves.
func (s *set) addPrefix(p netip.Prefix) {
	for _, half := range halves(p) {
		s.b = append(appendNet(append(s.b, s.add...), half), '\n')
	}
}

func (s *set) addKey(k key, service ir.ServicePort) {
	s.b = appendKey(append(s.b, s.add...), k)
	if s.comments {
		s.b = backends.AppendComment(s.b, service)
	}
	s.b = append(s.b, '\n')
}

func (s *set) addKeyPrefix(k key, p netip.Prefix) {
	for _, half := range halves(p) {
		s.b = append(appendKey(append(s.b, s.add...), k), ',')
		s.b = append(appendNet(s.b, half), '\n')
	}
}

func (s *set) addKeyAddr(k key, a netip.Addr) {
	s.b = append(appendKey(append(s.b, s.add...), k), ',')
	s.b = append(a.AppendTo(s.b), '\n')
}

func (s *set) addKeyMark(k key, mark uint32) {
	s.b = append(appendKey(append(s.b, s.add...), k), " skbmark "...)
	s.b = append(append(s.b, hex32(mark)...), '\n')
}

func appendKey(b []byte, k key) []byte {
	b = append(k.Addr().AppendTo(b), ',')
	b = append(append(b, k.protocol.String()...), ':')
	return strconv.AppendUint(b, uint64(k.Port()), 10)
}

// appendNet writes a network as ipset prints it, without the length if it is a
// single address.
func appendNet(b []byte, p netip.Prefix) []byte {
	if p.IsSingleIP() {
		return p.Addr().AppendTo(b)
	}
	return p.AppendTo(b)
}

func halves(p netip.Prefix) []netip.Prefix {
	if p.Bits() > 0 {
		return []netip.Prefix{p}
	}
	high := p.Addr().AsSlice()
	high[0] = 0x80
	upper, _ := netip.AddrFromSlice(high)
	return []netip.Prefix{netip.PrefixFrom(p.Addr(), 1), netip.PrefixFrom(upper, 1)}
}

func hex32(v uint32) string { return "0x" + strconv.FormatUint(uint64(v), 16) }
