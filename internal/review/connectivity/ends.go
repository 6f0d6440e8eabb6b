package connectivity

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// findEnds groups pods to ends, and ends to classes.
func (m *Map) findEnds(pods []netpath.Pod) {
	type key struct {
		workload  objects.Name
		host      bool
		signature string
	}
	index, of, classes := make(map[key]*End), make(map[objects.Name]int), make(map[string]int)
	for i := range pods {
		p := &pods[i]
		at := clusterwide.Ends{Addresses: p.Addresses, Primary: p.Primary}
		k := key{objects.Name{Namespace: p.Namespace, Name: p.Workload}, p.Place.Host, m.policies.Signature(&at)}
		of[k.workload]++
		e := index[k]
		if e == nil {
			e = &End{Namespace: p.Namespace, Name: p.Workload, Host: p.Place.Host, at: at}
			e.Guarded, e.Selected = m.guards(e)
			class := fmt.Sprint(k.host, k.signature)
			number, known := classes[class]
			if !known {
				number = len(m.classes)
				classes[class] = number
				m.classes = append(m.classes, nil)
			}
			e.class, index[k] = number, e
			m.classes[number] = append(m.classes[number], e)
			m.Ends = append(m.Ends, e)
		}
		e.Pods = append(e.Pods, p.Name)
	}
	for _, e := range m.Ends {
		e.Of = of[objects.Name{Namespace: e.Namespace, Name: e.Name}]
	}
	slices.SortFunc(m.Ends, compareEnds)
	for _, c := range m.classes {
		slices.SortFunc(c, compareEnds)
	}
}

func (m *Map) guards(e *End) (guarded, selected map[ir.Direction]bool) {
	guarded, selected = make(map[ir.Direction]bool), make(map[ir.Direction]bool)
	if e.Host {
		return guarded, selected
	}
	for _, d := range ir.Directions() {
		for _, a := range e.at.Addresses {
			guarded[d] = guarded[d] || m.policies.Limits(d, a)
			selected[d] = selected[d] || len(m.policies.Tiers(d, a)) > 0
		}
	}
	return guarded, selected
}

func compareEnds(a, b *End) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), slices.Compare(a.Pods, b.Pods))
}

// Limited reports whether policies limit who reaches the end.
func (e *End) Limited() bool { return e.Guarded[ir.Ingress] }

// Unselected reports whether no policy is about who reaches the end.
func (e *End) Unselected() bool { return !e.Selected[ir.Ingress] }
