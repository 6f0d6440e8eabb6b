package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// dispute is one packet with a changed decision in one direction.
type dispute struct {
	changes       changes
	opened        bool
	before, after eval.Decision
	// ends are the objects of the two ends, whose labels may be the reason.
	ends []objects.Identity
}

// reasons names the responsible objects: policies that came, went or changed,
// or else objects whose labels or ports change the meaning of policies.
func (d *dispute) reasons() []diffreport.Reason {
	closing, opening := d.after, d.before
	if d.opened {
		closing, opening = d.before, d.after
	}
	deniers, accepter := origins(closing), origins(opening)
	gone, come := diffreport.ObjectRemoved, diffreport.ObjectAdded
	var out []diffreport.Reason
	if d.opened {
		out = d.policies(accepter, come)
		if len(out) == 0 || opening.Rule == nil {
			out = append(d.policies(deniers, gone), out...)
		}
	} else {
		out = d.policies(accepter, gone)
		if len(out) == 0 {
			out = d.policies(deniers, come)
		}
	}
	if len(out) == 0 {
		out = d.policies(append(deniers, accepter...), diffreport.ObjectChanged)
	}
	if len(out) == 0 {
		out = d.meaning(opening, closing)
	}
	return out
}

// origins returns the deciding rule, or the isolating policies.
func origins(d eval.Decision) []ir.Origin {
	switch {
	case d.Rule != nil:
		return []ir.Origin{d.Rule.Origin}
	case d.Tier != nil:
		return d.Tier.Isolating
	}
	return nil
}

// policies returns the policies of the list that came, went or changed.
func (d *dispute) policies(list []ir.Origin, how diffreport.Change) []diffreport.Reason {
	var out []diffreport.Reason
	for _, o := range list {
		switch what := d.changes.what(o); {
		case what == how && what != diffreport.ObjectChanged:
			out = append(out, diffreport.Reason{Text: fmt.Sprintf("%s was %s", o.Object(), what), Origin: o, Old: what == diffreport.ObjectRemoved})
		case what == diffreport.ObjectChanged:
			out = append(out, changeReason(d.changes[objects.IdentityAt(o)]))
		}
	}
	return compactReasons(out)
}

// meaning finds the reason if the policies did not change: what they select did.
func (d *dispute) meaning(opening, closing eval.Decision) []diffreport.Reason {
	var out []diffreport.Reason
	for _, key := range d.ends {
		if o := d.changes[key]; o != nil && o.Change == diffreport.ObjectChanged {
			out = append(out, changeReason(o))
		}
	}
	verb, decided := "allows", opening
	if !d.opened && closing.Rule != nil {
		verb, decided = "denies", closing
	} else if !d.opened {
		verb = "no longer allows"
		if opening.Rule == nil {
			verb, decided = "isolates", closing
		}
	} else if opening.Rule == nil {
		verb, decided = "no longer isolates", closing
	}
	for _, o := range origins(decided) {
		text := fmt.Sprintf("%s %s it", o.Object(), verb)
		if o.Path != "" && decided.Rule != nil {
			text += " by " + o.Path
		}
		out = append(out, diffreport.Reason{Text: text, Origin: o, Old: (decided == d.before)})
	}
	return compactReasons(out)
}

// changeReason names a changed object and a field: the first with one of the
// preferred prefixes, or the only one.
func changeReason(o *diffreport.Object, prefer ...string) diffreport.Reason {
	r := diffreport.Reason{Origin: o.Origin, Text: o.Origin.Object() + " was changed"}
	f := preferred(o.Fields, prefer)
	if f == nil {
		return r
	}
	r.Origin = o.Origin.At(f.Path)
	switch {
	case f.Old == "":
		r.Text = fmt.Sprintf("%s of %s was added", f.Path, o.Origin.Object())
	case f.New == "":
		r.Text = fmt.Sprintf("%s of %s was removed", f.Path, o.Origin.Object())
	default:
		r.Text = fmt.Sprintf("%s of %s changed from %s to %s", f.Path, o.Origin.Object(), clip(f.Old, 40), clip(f.New, 40))
	}
	return r
}

func preferred(fields []diffreport.Field, prefer []string) *diffreport.Field {
	for _, want := range prefer {
		for i := range fields {
			if strings.HasPrefix(fields[i].Path, want) {
				return &fields[i]
			}
		}
	}
	if len(fields) == 1 {
		return &fields[0]
	}
	return nil
}

func compactReasons(list []diffreport.Reason) []diffreport.Reason {
	var out []diffreport.Reason
	for _, r := range list {
		if !slices.ContainsFunc(out, func(have diffreport.Reason) bool { return have.Text == r.Text }) {
			out = append(out, r)
		}
	}
	const most = 2
	if len(out) > most {
		out = out[:most]
	}
	return out
}

// objectsOf returns the objects with the labels of an end.
func (c *comparison) objectsOf(e *entity) []objects.Identity {
	if e.role != podRole {
		return nil
	}
	out := []objects.Identity{{Kind: "Namespace", Name: e.namespace}}
	for _, a := range []clusterwide.Ends{e.before, e.after} {
		if p := c.after.state.Network.Owner(a.Addresses[a.Primary]); p.Pod {
			out = append(out, objects.Identity{Kind: "Pod", Namespace: p.Namespace, Name: p.Name})
		}
	}
	return out
}

// why explains a difference of one direction for one packet.
func (c *comparison) why(opened bool, d ir.Direction, from, to *entity, ports clusterwide.Ports) []diffreport.Reason {
	proto, port := ports.Example()
	ask := func(x *side, from, to *clusterwide.Ends) eval.Decision {
		src, dst, _ := common(from, to)
		pod, peer := src, dst
		if d == ir.Ingress {
			pod, peer = dst, src
		}
		return x.Decide(d, pod, peer, eval.Transport{Protocol: proto, Port: port})
	}
	q := dispute{
		changes: c.changes, opened: opened,
		before: ask(c.before, &from.before, &to.before), after: ask(c.after, &from.after, &to.after),
		ends: append(c.objectsOf(from), c.objectsOf(to)...),
	}
	return q.reasons()
}
