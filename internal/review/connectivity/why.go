package connectivity

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// Cause is what decides about packets in one direction: a rule, the policies that isolate
// a pod, or that no policy selects it.
type Cause struct {
	Direction ir.Direction
	Accept    bool
	Ports     clusterwide.Ports // the packets about which it decides
	Subject   string            // the workload whose direction it is
	// Rule is the rule's place, and RuleName its own name. Isolating are the policies that
	// isolate the subject, none of whose rules matches. Without both, no policy decides:
	// Selected tells whether one selects the subject.
	Rule      *ir.Origin
	RuleName  string
	Isolating []ir.Origin
	Selected  bool
	// Host reports that the subject is on the host's network, where no policy applies.
	Host bool
}

// String is a clause: "ingress: NetworkPolicy shop/db-from-web (policies.yaml:9)".
func (c *Cause) String() string {
	switch {
	case c.Rule != nil:
		verb := ""
		if !c.Accept {
			verb = "denied by "
		}
		name := ""
		if c.RuleName != "" {
			name = fmt.Sprintf(" %q", c.RuleName)
		}
		return fmt.Sprintf("%v: %s%s%s", c.Direction, verb, place(*c.Rule), name)
	case len(c.Isolating) > 0:
		places := make([]string, len(c.Isolating))
		for i, o := range c.Isolating {
			places[i] = place(o)
		}
		return fmt.Sprintf("%v: %s is isolated by %s, and no rule matches", c.Direction, c.Subject, clusterwide.Join(places, "and"))
	case c.Host:
		return fmt.Sprintf("%v: %s is on the host's network, where policies do not apply", c.Direction, c.Subject)
	case c.Selected:
		return fmt.Sprintf("%v: no rule matches, and no NetworkPolicy isolates %s", c.Direction, c.Subject)
	}
	return fmt.Sprintf("%v: no policy selects %s", c.Direction, c.Subject)
}

// Open reports that no rule and no isolation decides, so the packets pass.
func (c *Cause) Open() bool { return c.Rule == nil && len(c.Isolating) == 0 }

// Kind is what the cause says, apart from its subject.
func (c *Cause) Kind() string {
	one := *c
	one.Subject = ""
	return one.String()
}

// place is "Kind namespace/name (file:line)".
func place(o ir.Origin) string {
	if at := o.Position(); at != "" {
		return fmt.Sprintf("%s (%s)", o.Object(), at)
	}
	return o.Object()
}

// Why returns what lets packets through from one group to another and what denies the
// others, in both directions. Groups are those of an edge, or single ends.
func (m *Map) Why(from, to Group) []Cause {
	var out []Cause
	for _, s := range m.samples(from) {
		for _, d := range m.samples(to) {
			src, dst, ok := netpath.Common(s.at.Addresses, d.at.Addresses, s.at.Primary)
			if !ok {
				continue
			}
			if s.end != nil {
				out = m.direction(out, ir.Egress, s.end, src, dst)
			}
			if d.end != nil {
				out = m.direction(out, ir.Ingress, d.end, dst, src)
			}
		}
	}
	return out
}

// Allowing returns what lets an edge's packets through.
func (m *Map) Allowing(e *Edge) []Cause {
	var out []Cause
	for _, c := range m.Why(e.From, e.To) {
		if both := c.Ports.Intersect(*e.Ports); c.Accept && !both.Empty() {
			c.Ports = both
			out = append(out, c)
		}
	}
	return out
}

// sample is one end, or one of the networks that policies tell apart.
type sample struct {
	end *End
	at  *clusterwide.Ends
}

func (m *Map) samples(g Group) []sample {
	var out []sample
	for _, e := range g.Ends {
		out = append(out, sample{e, &e.at})
	}
	for _, n := range g.pieces {
		out = append(out, sample{nil, &n.at})
	}
	return out
}

// direction adds the causes of one direction of an end, each once.
func (m *Map) direction(out []Cause, d ir.Direction, e *End, pod, peer netip.Addr) []Cause {
	if e.Host {
		return add(out, Cause{Direction: d, Accept: true, Ports: clusterwide.EveryPort(), Subject: e.String(), Host: true})
	}
	for _, p := range m.policies.Why(d, pod, peer) {
		c := Cause{Direction: d, Accept: p.Accept, Ports: p.Ports, Subject: e.String(), Selected: e.Selected[d]}
		switch {
		case p.Rule != nil:
			c.Rule, c.RuleName = &p.Rule.Origin, p.Rule.Name
		case p.Tier != nil:
			c.Isolating = p.Tier.Isolating
		}
		out = add(out, c)
	}
	return out
}

func add(out []Cause, c Cause) []Cause {
	at := slices.IndexFunc(out, func(o Cause) bool {
		return o.Direction == c.Direction && o.Accept == c.Accept && o.String() == c.String() && o.path() == c.path()
	})
	if at < 0 {
		return append(out, c)
	}
	out[at].Ports = out[at].Ports.Union(c.Ports)
	return out
}

func (c *Cause) path() string {
	if c.Rule == nil {
		return ""
	}
	return c.Rule.Path
}
