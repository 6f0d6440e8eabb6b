package compare

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/ir"
)

// front is one frontend, with its routes on each node.
type front struct {
	service ir.ServicePort
	kind    ir.FrontendKind
	match   ir.Match
	ranges  []netip.Prefix
	// affinity is in seconds; 0 is none.
	affinity uint32
	nodes    map[string]routes
}

// routes holds the two routes of a frontend on one node.
type routes struct{ internal, external choice }

// choice is one of the routes.
type choice struct {
	endpoints  []netip.AddrPort
	masquerade ir.MasqueradeRule
	onEmpty    ir.Refusal
}

type frontKey struct {
	kind  ir.FrontendKind
	match ir.Match
}

// services maps the Services of one state to their frontends.
type services map[objects.Name]map[frontKey]*front

func newServices(s *State) services {
	out := make(services)
	for _, name := range s.serviceNodes() {
		p := s.Network.Program(name)
		pools := make(map[string][]netip.AddrPort, len(p.Pools))
		for i := range p.Pools {
			list := make([]netip.AddrPort, len(p.Pools[i].Endpoints))
			for j := range list {
				list[j] = p.Pools[i].Endpoints[j].Address
			}
			slices.SortFunc(list, netip.AddrPort.Compare)
			pools[p.Pools[i].ID] = slices.Compact(list)
		}
		for i := range p.Frontends {
			f := &p.Frontends[i]
			owner := objects.Name{Namespace: f.Service.Namespace, Name: f.Service.Name}
			if out[owner] == nil {
				out[owner] = make(map[frontKey]*front)
			}
			key := frontKey{f.Kind, f.Match}
			have := out[owner][key]
			if have == nil {
				have = &front{service: f.Service, kind: f.Kind, match: f.Match, ranges: f.SourceRanges, affinity: f.Affinity, nodes: make(map[string]routes)}
				out[owner][key] = have
			}
			have.nodes[name] = routes{
				choice{pools[f.Internal.Pool], f.Internal.Masquerade, f.Internal.OnEmpty},
				choice{pools[f.External.Pool], f.External.Masquerade, f.External.OnEmpty},
			}
		}
	}
	return out
}

// sorted returns the frontends in canonical order.
func sorted(m map[frontKey]*front) []*front {
	out := make([]*front, 0, len(m))
	for _, f := range m {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *front) int {
		return cmp.Or(
			strings.Compare(a.service.String(), b.service.String()), cmp.Compare(a.kind, b.kind),
			cmp.Compare(a.match.Family, b.match.Family), a.match.Address.Compare(b.match.Address), cmp.Compare(a.match.Port, b.match.Port),
		)
	})
	return out
}

// where formats the frontend: "10.96.0.20:80/tcp", "node port 30080/tcp".
func (f *front) where() string {
	if f.kind == ir.NodePort {
		return fmt.Sprintf("node port %d/%v", f.match.Port, f.match.Protocol)
	}
	words := map[ir.FrontendKind]string{ir.ClusterIP: "", ir.LoadBalancer: "load-balancer address ", ir.ExternalIP: "external IP "}
	return words[f.kind] + f.match.String()
}

// whereAll formats frontends, without duplicates.
func whereAll(list []*front) string {
	var names []string
	for _, f := range list {
		if w := f.where(); !slices.Contains(names, w) {
			names = append(names, w)
		}
	}
	const most = 4
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("%d more", len(names)-most))
	}
	return clusterwide.Join(names, "and")
}

// endpoints returns the endpoints that any node uses.
func (f *front) endpoints() []netip.AddrPort {
	var out []netip.AddrPort
	for _, r := range f.nodes {
		out = append(append(out, r.internal.endpoints...), r.external.endpoints...)
	}
	slices.SortFunc(out, netip.AddrPort.Compare)
	return slices.Compact(out)
}
