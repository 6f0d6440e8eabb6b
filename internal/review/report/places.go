package report

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// places maps the names that `planec trace` accepts for an end of a packet to
// addresses.
func places(set *objects.Set) map[string][]string {
	out := make(map[string][]string)
	for _, s := range set.Pods {
		for _, ip := range s.Object.Status.PodIPs {
			name := objects.NameOf(s.Object).String()
			out[name] = append(out[name], ip.IP)
		}
	}
	for _, s := range set.Nodes {
		for _, a := range objects.NodeIPs(s.Object, nil) {
			out["node/"+s.Object.Name] = append(out["node/"+s.Object.Name], a.String())
		}
	}
	for _, s := range set.Services {
		ips := s.Object.Spec.ClusterIPs
		if len(ips) == 0 && s.Object.Spec.ClusterIP != "" {
			ips = []string{s.Object.Spec.ClusterIP}
		}
		if len(ips) > 0 && ips[0] != corev1.ClusterIPNone {
			out["svc/"+objects.NameOf(s.Object).String()] = ips
		}
	}
	return out
}

// ownPods returns the addresses of the node's pods and, if the objects contain
// no pods, of its local endpoints.
func ownPods(set *objects.Set, p *ir.Program) []string {
	out := []string{}
	for _, s := range set.Pods {
		if s.Object.Spec.NodeName == p.Node.Name && !s.Object.Spec.HostNetwork {
			for _, ip := range s.Object.Status.PodIPs {
				out = append(out, ip.IP)
			}
		}
	}
	for _, pool := range p.Pools {
		for _, e := range pool.Endpoints {
			if e.Local {
				out = append(out, e.Address.Addr().String())
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
