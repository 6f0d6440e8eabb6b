package connectivity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/internal/review/clusterwide"
)

// Nowhere is a backend of an Ingress or a route that leads nowhere: the input has no such
// Service, or the Service has no such port.
type Nowhere struct {
	Via string // as of an [Entry]
	Naming
	Why string // "which the input does not have", and what may be meant
}

// String returns "ingress-controller → nowhere: Ingress shop/site names svc/shop/wbe:80,
// which ...".
func (n *Nowhere) String() string {
	at := ""
	if p := n.Origin.Position(); p != "" {
		at = " (" + p + ")"
	}
	return fmt.Sprintf("%s → nowhere: %v, %s%s", n.Via, n.Naming, n.Why, at)
}

// findNowhere finds what leads nowhere, also where no pod has an address.
func (m *Map) findNowhere(set *objects.Set) {
	for _, s := range set.Services {
		m.services = append(m.services, "svc/"+objects.NameOf(s.Object).String())
	}
	slices.Sort(m.services)
	type once struct {
		via, object, port string
		service           objects.Name
	}
	said := make(map[once]bool) // many paths of an Ingress may name one Service
	for _, a := range set.Astray() {
		n := Naming{objects.Origin(a.Entry.Object.Kind, a.Entry).At(a.Backend.Path), a.Backend.Service, ""}
		if p := a.Backend.Port.String(); p != "0" {
			n.Port = p
		}
		why := "which the input does not have"
		if a.Service == nil && len(m.Nowhere) < mostMeant {
			why += m.meantService(a.Backend.Service)
		}
		if a.Service != nil {
			why = "which has no such port, but " + clusterwide.Join(portNames(a.Service), "and")
		}
		for _, via := range vias(a.Entry.Object) {
			if key := (once{via, n.Origin.Object(), n.Port, n.Service}); !said[key] {
				said[key] = true
				m.Nowhere = append(m.Nowhere, &Nowhere{via, n, why})
			}
		}
	}
	slices.SortStableFunc(m.Nowhere, func(a, b *Nowhere) int { return strings.Compare(a.Via, b.Via) })
}

// mostMeant is for how many names something nearly equal is looked for: each is compared with
// all Services.
const mostMeant = 100

// meantService suggests a Service for a name that none has: one of nearly that name in its
// namespace, or of that name in another one.
func (m *Map) meantService(of objects.Name) string {
	var near, elsewhere []string
	for _, s := range m.services {
		if name, ok := strings.CutPrefix(s, "svc/"+of.Namespace+"/"); ok {
			near = append(near, name)
		} else if strings.HasSuffix(s, "/"+of.Name) {
			elsewhere = append(elsewhere, s)
		}
	}
	if name := suggest.Nearest(of.Name, near); name != "" {
		return ": did you mean svc/" + of.Namespace + "/" + name + "?"
	}
	if len(elsewhere) > 0 {
		return ": did you mean " + suggest.Or(elsewhere) + "?"
	}
	return ""
}

// mostPorts bounds the ports of one sentence.
const mostPorts = 8

// portNames are the ports of a Service as entries name them: "80 (http)".
func portNames(s *corev1.Service) []string {
	var out []string
	for i, p := range s.Spec.Ports {
		if i == mostPorts {
			return append(out, fmt.Sprintf("%d more", len(s.Spec.Ports)-i))
		}
		name := strconv.Itoa(int(p.Port))
		if p.Name != "" {
			name += " (" + p.Name + ")"
		}
		out = append(out, name)
	}
	return out
}

// keepNowhere keeps what a filter wants of what leads nowhere: nothing reaches an end by it.
func keepNowhere(list []*Nowhere, from, to, focus *side, namespaces []string) []*Nowhere {
	return slices.DeleteFunc(slices.Clone(list), func(n *Nowhere) bool {
		return to != nil || !from.names(n.Via) || !focus.names(n.Via) ||
			len(namespaces) > 0 && !slices.Contains(namespaces, n.Service.Namespace) && !slices.Contains(namespaces, n.Origin.Namespace)
	})
}
