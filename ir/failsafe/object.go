package failsafe

import (
	"cmp"
	"maps"
	"slices"

	"github.com/planec/planec/ir"
)

// Object identifies a Service or a policy that rules are made from.
type Object struct {
	// Kind is "Service" or the kind of a policy.
	Kind            string
	Namespace, Name string // the object's; Namespace is "" for a cluster-wide policy
}

// Service is the Kind of Services.
const Service = "Service"

// ServiceOf returns the Service of a frontend.
func ServiceOf(s ir.ServicePort) Object { return Object{Service, s.Namespace, s.Name} }

// PolicyOf returns the policy of a rule.
func PolicyOf(o ir.Origin) Object { return Object{o.Kind, o.Namespace, o.Name} }

// String returns "Kind namespace/name".
func (o Object) String() string {
	return ir.Origin{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}.Object()
}

// Compare orders objects by kind, namespace and name.
func (o Object) Compare(b Object) int {
	return cmp.Or(cmp.Compare(o.Kind, b.Kind), cmp.Compare(o.Namespace, b.Namespace), cmp.Compare(o.Name, b.Name))
}

// Level is the degree to which an object is given up.
type Level uint8

// The levels. Each is tried if the previous one cannot be enforced either.
const (
	// Refused makes a Service refuse as one without endpoints does. It removes the
	// accepting rules of a NetworkPolicy: what the policy selects is open only to
	// what other policies accept. In an administrator's tier, rules may also deny or
	// pass; to be safe, a single rule that denies everything replaces all of them.
	Refused Level = iota + 1
	// Removed removes the frontends of a Service and keeps its ClusterIPs, which
	// refuse. It closes both directions of everything that a policy selects,
	// regardless of other policies.
	Removed
	// Gone also removes the ClusterIPs. For a policy it equals Removed.
	Gone
)

// Set holds the objects that are given up.
type Set map[Object]Level

// Add gives an object up, at least to the level.
func (s Set) Add(o Object, l Level) { s[o] = max(s[o], l) }

// With returns the union of both sets.
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

// Sorted lists the objects in canonical order.
func (s Set) Sorted() []Object {
	return slices.SortedFunc(maps.Keys(s), Object.Compare)
}

// Of lists the objects of a program in canonical order.
func Of(p *ir.Program) []Object {
	s := make(Set)
	visit(p, func(o Object, _ ir.Origin) { s.Add(o, Refused) })
	return s.Sorted()
}

// Origins returns the origin of each object of a program.
func Origins(p *ir.Program) map[Object]ir.Origin {
	out := make(map[Object]ir.Origin)
	visit(p, func(o Object, at ir.Origin) {
		if _, known := out[o]; !known {
			out[o] = ir.Origin{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, File: at.File, Line: at.Line}
		}
	})
	return out
}

// visit calls do for every part of a program with an object behind it.
func visit(p *ir.Program, do func(Object, ir.Origin)) {
	for i := range p.Frontends {
		do(ServiceOf(p.Frontends[i].Service), p.Frontends[i].Origin.Get())
	}
	for i := range p.Policy.Profiles {
		visitProfile(&p.Policy.Profiles[i], do)
	}
}

// visitProfile calls do for every isolation and rule of a profile.
func visitProfile(p *ir.Profile, do func(Object, ir.Origin)) {
	for _, d := range ir.Directions() {
		for _, t := range p.Tiers(d) {
			for _, o := range t.Isolating {
				do(PolicyOf(o), o)
			}
			for i := range t.Rules {
				do(PolicyOf(t.Rules[i].Origin), t.Rules[i].Origin)
			}
		}
	}
}
