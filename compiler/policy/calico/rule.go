package calico

import (
	"slices"
	"strings"
	"sync"

	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/ir"
)

// logPrefix is what a Log rule writes (felix/rules/policy.go, generateLogPrefix).
const logPrefix = "calico-packet"

var actions = map[string]ir.Action{"Allow": ir.Accept, "Deny": ir.Deny, "Pass": ir.Pass, "Log": ir.Log}

// rule is a rule of a policy, with what it says of either end.
type rule struct {
	world     *world
	direction ir.Direction
	action    ir.Action
	origin    ir.Origin
	families  families
	protocol  ir.Protocol // 0 is any
	// icmp are the types that the rule is about, nil being all; not is what it is not
	// about, of protocols as a whole or types.
	icmp, not []ir.PortRange
	own, peer side
	namespace string // of the policy, or ""
}

// newRule reads a rule that validation has accepted.
func newRule(w *world, r *calicov3.Rule, d ir.Direction, ns string, at ir.Origin) *rule {
	out := &rule{world: w, direction: d, action: actions[r.Action], origin: at, families: bothFamilies, namespace: ns}
	if r.Protocol != nil {
		out.protocol, _ = protocol(r.Protocol)
	}
	source, destination := newSide(&r.Source, ns, out.protocol), newSide(&r.Destination, ns, out.protocol)
	out.own, out.peer = source, destination
	if d == ir.Ingress {
		out.own, out.peer = destination, source
	}
	if r.IPVersion != nil {
		out.families = onlyFamily(ir.Family(*r.IPVersion))
	}
	out.families = out.families.and(source.families()).and(destination.families())
	// ICMP is IPv4's and ICMPv6 is IPv6's anyway, so no address needs to be left out.
	if family := familyOf(r.Protocol); family != 0 && !out.families.has(family) {
		out.families = families{}
	}
	out.readNot(r)
	return out
}

// readNot reads ICMP types, and what the rule negates besides ends.
func (r *rule) readNot(from *calicov3.Rule) {
	if from.NotProtocol != nil {
		p, _ := protocol(from.NotProtocol)
		r.not = append(r.not, ir.EveryPort(p))
	}
	if m := from.ICMP; m != nil && m.Type != nil {
		r.icmp = []ir.PortRange{types(r.protocol, m)}
	}
	if m := from.NotICMP; m != nil && m.Type != nil {
		for _, p := range []ir.Protocol{ir.ICMP, ir.ICMPv6} {
			if r.protocol == 0 || r.protocol == p {
				r.not = append(r.not, types(p, m))
			}
		}
	}
}

// names lists the names of ports that the rule has.
func (r *rule) names() []string {
	own, peer := &r.own.ports, &r.peer.ports
	all := slices.Concat(own.named, own.notNamed, peer.named, peer.notNamed)
	slices.Sort(all)
	return slices.Compact(all)
}

// types is a type of ICMP with all its codes, or with one.
func types(p ir.Protocol, m *calicov3.ICMP) ir.PortRange {
	first, last := uint8(0), uint8(255)
	if m.Code != nil {
		first, last = uint8(*m.Code), uint8(*m.Code)
	}
	return ir.PortRange{Protocol: p, First: ir.TypeAndCode(uint8(*m.Type), first), Last: ir.TypeAndCode(uint8(*m.Type), last)}
}

// clause returns the rule for the lowering. What it says of the own side, and names of
// ports, are decided for each pod.
func (r *rule) clause() (out []clause.Rule) {
	named := len(r.peer.ports.named) + len(r.peer.ports.notNamed)
	if r.own.isPlain() && named == 0 && r.peer.service == nil {
		return r.matches(nil, r.families)
	}
	if r.families.none() {
		return nil
	}
	c := caches{r: r}
	return []clause.Rule{{Action: r.action, Origin: r.origin, For: c.rules}}
}

// caches has the rules for pods that a rule treats the same way: peers are looked up for
// many pods.
type caches struct {
	r    *rule
	made sync.Map // the text of a pod's own side to its rules
}

// rules implements For of [clause.Rule].
func (c *caches) rules(p *clause.Pod) ([]clause.Rule, string) {
	r := c.r
	of := r.families.and(r.own.ownFamilies(r.world, p, r.action == ir.Accept))
	if of.none() {
		return nil, "-"
	}
	own := r.own.ownNumbers(r.world, p, r.own.ports.named, r.protocol)
	notOwn := r.own.ownNumbers(r.world, p, r.own.ports.notNamed, r.protocol)
	text := strings.Join([]string{of.text(), rangesText(own), rangesText(notOwn)}, " ")
	if have, known := c.made.Load(text); known {
		return have.([]clause.Rule), text
	}
	have, _ := c.made.LoadOrStore(text, r.matches(p, of))
	return have.([]clause.Rule), text
}

// matches returns the alternatives of the rule for a pod; nil is any pod, to which the
// own side says nothing.
func (r *rule) matches(p *clause.Pod, of families) []clause.Rule {
	if of.none() {
		return nil
	}
	all := r.peers(of)
	ownEnd, peerEnd := source, destination
	if r.direction == ir.Ingress {
		ownEnd, peerEnd = destination, source
	}
	all = r.ownPorts(all, ownEnd, p)
	all = r.peerPorts(all, peerEnd)
	all = r.peerNotPorts(all, peerEnd)
	var out []clause.Rule
	for i := range all {
		out = append(out, r.lower(&all[i])...)
	}
	return out
}

// peers returns the alternatives by the other end: one, or one for each port of a
// Service.
func (r *rule) peers(of families) []match {
	s := &r.peer
	base := match{area: area{selector: s.selector, nets: s.nets, family: of.only()}}
	if len(s.nets) > 0 {
		base.area.family = 0 // they are of one
	}
	if s.not != nil {
		base.not = append(base.not, area{selector: s.not}.peer(r.world))
	}
	if len(s.notNets) > 0 {
		base.not = append(base.not, area{nets: s.notNets}.peer(r.world))
	}
	if s.service == nil {
		return []match{base}
	}
	return r.ofService(base)
}
