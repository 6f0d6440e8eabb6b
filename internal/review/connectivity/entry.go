package connectivity

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// Entry is what Ingresses or routes lead to one end. The input does not tell where the
// controller's pod is, so policies judge it as a pod without labels in a namespace that
// no policy names.
type Entry struct {
	// Via is "ingress-controller", or "gateway NAMESPACE/NAME".
	Via string
	To  *End
	// Ports are those that policies let through, and Refused those that they refuse such
	// a controller; one of both is not empty.
	Ports, Refused clusterwide.Ports
	Because        []Naming // the objects that name the Service, sorted
}

// Naming is one object that leads requests to a Service.
type Naming struct {
	Origin  ir.Origin    // the Ingress or route, and its field
	Service objects.Name // the Service
	Port    string       // the Service's port: its number, or its name
}

// String returns "Ingress shop/site names svc/shop/web:80".
func (n Naming) String() string {
	out := fmt.Sprintf("%s names svc/%v", n.Origin.Object(), n.Service)
	if n.Port != "" {
		out += ":" + n.Port
	}
	return out
}

// entrance identifies an entry.
type entrance struct {
	via string
	to  *End
}

// enter finds the entries.
func (m *Map) enter(set *objects.Set, pods []netpath.Pod, door *door) {
	s := newServices(set, pods, m.endsOf(pods))
	index, said := make(map[entrance]*Entry), make(map[naming]bool)
	for _, src := range slices.SortedFunc(slices.Values(set.Entries), objects.CompareFirst) {
		for _, b := range src.Object.Backends {
			origin := objects.Origin(src.Object.Kind, src).At(b.Path)
			for _, via := range vias(src.Object) {
				for _, t := range s.targets(&b) {
					if t.protocol != carried(src.Object.Kind) {
						continue
					}
					key := entrance{via, t.end}
					e := index[key]
					if e == nil {
						e = &Entry{Via: via, To: t.end}
						index[key] = e
						m.Entries = append(m.Entries, e)
					}
					m.admit(e, t, door)
					if n := (Naming{origin, b.Service, portText(b.Port, b.Target, t)}); !said[naming{e, n}] {
						said[naming{e, n}] = true
						e.Because = append(e.Because, n)
					}
				}
			}
		}
	}
	slices.SortFunc(m.Entries, func(a, b *Entry) int { return cmp.Or(cmp.Compare(a.Via, b.Via), compareEnds(a.To, b.To)) })
}

// naming is a reason of an entry.
type naming struct {
	entry  *Entry
	reason Naming
}

// carried returns the protocol of what a kind of entry sends to its backends.
func carried(kind string) ir.Protocol {
	if kind == "UDPRoute" {
		return ir.UDP
	}
	return ir.TCP
}

// vias returns what the requests of an entry come through.
func vias(e *objects.Entry) []string {
	if len(e.Gateways) == 0 {
		return []string{Controller}
	}
	var out []string
	for _, g := range e.Gateways {
		if via := "gateway " + g.String(); !slices.Contains(out, via) {
			out = append(out, via)
		}
	}
	return out
}

// Controller stands for the pod of an ingress controller.
const Controller = "ingress-controller"

// portText names the Service's port of a backend.
func portText(p intstr.IntOrString, ofTarget bool, t target) string {
	if ofTarget || p == (intstr.IntOrString{}) {
		return t.service
	}
	return p.String()
}

// admit asks policies about one endpoint.
func (m *Map) admit(e *Entry, t target, door *door) {
	var one clusterwide.Ports
	protocols := clusterwide.Protocols()
	at := slices.Index(protocols[:], t.protocol)
	if at < 0 {
		return
	}
	one.Spans[at] = []clusterwide.Span{{First: int(t.port), Last: int(t.port)}}
	src, dst, ok := netpath.Common(door.at.Addresses, t.addresses, door.at.Primary)
	if ok && m.policies.Allowed(ir.Ingress, dst, src).Contains(t.protocol, t.port) {
		e.Ports = e.Ports.Union(one)
	} else {
		e.Refused = e.Refused.Union(one)
	}
}

// endsOf maps addresses to ends.
func (m *Map) endsOf(pods []netpath.Pod) map[netip.Addr]*End {
	byPod := m.endsByPod()
	out := make(map[netip.Addr]*End)
	for i := range pods {
		for _, a := range pods[i].Addresses {
			out[a] = byPod[objects.Name{Namespace: pods[i].Namespace, Name: pods[i].Name}]
		}
	}
	return out
}

func (m *Map) endsByPod() map[objects.Name]*End {
	out := make(map[objects.Name]*End)
	for _, e := range m.Ends {
		for _, p := range e.Pods {
			out[objects.Name{Namespace: e.Namespace, Name: p}] = e
		}
	}
	return out
}
