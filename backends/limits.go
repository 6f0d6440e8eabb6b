package backends

import (
	"cmp"
	"maps"
	"slices"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/failsafe"
)

// Refused is an object that a backend cannot express. Emit gives it up: a Service
// refuses connections, a policy isolates what it selects (package failsafe).
type Refused struct {
	Object failsafe.Object // the Service or policy
	// Origin is that of the object, or of the field at fault.
	Origin ir.Origin
	// Why names the limit and what the object would need.
	Why string
}

// GiveUp returns the program without the refused objects, or p itself if the
// list is empty.
func GiveUp(p *ir.Program, list []Refused) *ir.Program {
	set := make(failsafe.Set, len(list))
	for i := range list {
		set.Add(list[i].Object, failsafe.Refused)
	}
	return failsafe.Program(p, set)
}

// Report adds what a backend refuses to a list of findings.
func Report(list *diag.List, refused []Refused) {
	for i := range refused {
		r := &refused[i]
		list.Add(diag.NotExpressible, r.Origin, r.Why)
	}
}

// Heaviest lists the policies of a program by cost, highest first: the number of
// sets of addresses, networks and ports that their rules name. If policies
// together exceed a limit, these are given up first, never a small one in favour
// of a large one.
func Heaviest(p *ir.Policy) []failsafe.Object {
	sets := make(map[string]int, len(p.AddressSets))
	for i := range p.AddressSets {
		s := &p.AddressSets[i]
		sets[s.ID] = 1 + len(s.Prefixes) + len(s.Except)
	}
	cost := make(map[failsafe.Object]int)
	for i := range p.Profiles {
		for _, d := range ir.Directions() {
			for _, t := range p.Profiles[i].Tiers(d) {
				for j := range t.Rules {
					r := &t.Rules[j]
					n := 1 + len(r.Ports) + len(r.NotPorts) + len(r.SourcePorts)
					for _, id := range r.Sets() {
						n += sets[id]
					}
					cost[failsafe.PolicyOf(r.Origin)] += n
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(cost), func(a, b failsafe.Object) int {
		return cmp.Or(cmp.Compare(cost[b], cost[a]), a.Compare(b))
	})
}

// Fit gives up more and more of the heaviest policies until the rest fits, and
// returns those that it gave up. The function fits returns why the rest does not fit.
func Fit(p *ir.Program, fits func(*ir.Policy) error) (*ir.Program, []Refused) {
	err := fits(&p.Policy)
	if err == nil {
		return p, nil
	}
	var refused []Refused
	heaviest := Heaviest(&p.Policy)
	out := p
	for n := 1; err != nil && len(refused) < len(heaviest); n *= 2 {
		for _, o := range heaviest[len(refused):min(n, len(heaviest))] {
			refused = append(refused, Refused{Object: o, Origin: ir.Origin{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}, Why: err.Error()})
		}
		out = GiveUp(p, refused)
		err = fits(&out.Policy)
	}
	return out, refused
}
