package report

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/netpath"
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

// homes returns which node has which addresses, as `planec trace` has it: of all nodes of
// the input, also of those that the page does not show. The node "" has the pods that no
// node has yet.
func homes(set *objects.Set) []home {
	byNode := make(map[string]*home)
	for a, owner := range netpath.Owners(set) {
		h := byNode[owner.Node]
		if h == nil {
			h = &home{Node: owner.Node}
			byNode[owner.Node] = h
		}
		if owner.Host {
			h.Host = append(h.Host, a.String())
		} else {
			h.Pods = append(h.Pods, a.String())
		}
	}
	out := make([]home, 0, len(byNode))
	for _, h := range byNode {
		slices.Sort(h.Host)
		slices.Sort(h.Pods)
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b home) int { return cmp.Compare(a.Node, b.Node) })
	return out
}
