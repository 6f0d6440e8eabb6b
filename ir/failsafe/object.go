package failsafe

import (
	"cmp"
	"maps"
	"slices"

	"github.com/planec/planec/ir"
)

// Object names an object that rules are made of.
type Object struct {
	// Kind is "Service" or a policy's kind.
	Kind            string
	Namespace, Name string // those of the object; Namespace is "" for a cluster's policy
}

// Service is the kind of Services.
const Service = "Service"

// ServiceOf is the Service that a frontend belongs to.
func ServiceOf(s ir.ServicePort) Object { return Object{Service, s.Namespace, s.Name} }

// PolicyOf is the policy that a rule comes from.
func PolicyOf(o ir.Origin) Object { return Object{o.Kind, o.Namespace, o.Name} }

// String returns "Kind namespace/name".
func (o Object) String() string {
	return ir.Origin{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}.Object()
}

// Compare orders objects by kind, namespace and name.
func (o Object) Compare(b Object) int {
	return cmp.Or(cmp.Compare(o.Kind, b.Kind), cmp.Compare(o.Namespace, b.Namespace), cmp.Compare(o.Name, b.Name))
}

// Level is how much of an object is given up.
type Level uint8

// The levels. Each is tried where the one before it cannot be enforced either.
const (
	// Refused answers every packet of a Service as one without endpoints does, and
	// takes the accepting rules of a policy away: what it selects is closed but for
	// what other policies accept. A rule of an administrator's tier may deny or pass
	// too, and what is not known to be harmless is denied: all of them become one
	// that denies everything.
	Refused Level = iota + 1
	// Removed takes the frontends of a Service away and keeps its ClusterIPs, which
	// refuse; and it closes both directions of all that a policy selects, whatever
	// others say.
	Removed
	// Gone takes the ClusterIPs away too. For a policy it is Removed.
	Gone
)

// Set is the objects that are given up.
type Set map[Object]Level

// Add gives an object up, at least at a level.
func (s Set) Add(o Object, l Level) { s[o] = max(s[o], l) }

// With returns a set that has the objects of both.
func (s Set) With(more Set) Set {
	out := maps.Clone(s)
	if out == nil {
		out = make(Set, len(more))
	}
	for o, l := range more {
		out.Add(o, l)
	}
	return out
}

// Sorted lists the objects in order.
func (s Set) Sorted() []Object {
	return slices.SortedFunc(maps.Keys(s), Object.Compare)
}

// Of lists the objects that a program is made of, in order.
func Of(p *ir.Program) []Object {
	s := make(Set)
	visit(p, func(o Object, _ ir.Origin) { s.Add(o, Refused) })
	return s.Sorted()
}

// Origins says where each object of a program comes from.
func Origins(p *ir.Program) map[Object]ir.Origin {
	out := make(map[Object]ir.Origin)
	visit(p, func(o Object, at ir.Origin) {
		if _, known := out[o]; !known {
			out[o] = ir.Origin{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, File: at.File, Line: at.Line}
		}
	})
	return out
}

// visit calls do for every part of a program that comes from an object.
func visit(p *ir.Program, do func(Object, ir.Origin)) {
	for i := range p.Frontends {
		do(ServiceOf(p.Frontends[i].Service), p.Frontends[i].Origin)
	}
	for i := range p.Policy.Profiles {
		for _, d := range ir.Directions() {
			for _, t := range p.Policy.Profiles[i].Tiers(d) {
				for _, o := range t.Isolating {
					do(PolicyOf(o), o)
				}
				for j := range t.Rules {
					do(PolicyOf(t.Rules[j].Origin), t.Rules[j].Origin)
				}
			}
		}
	}
}
