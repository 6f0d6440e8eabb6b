package compare

import (
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/netpath"
)

// findDNS finds the DNS servers: pods with the label of kube-dns, which CoreDNS
// also has.
func (c *comparison) findDNS() {
	c.dns = make(map[*entity]bool)
	serving := make(map[objects.Identity]bool)
	for _, p := range c.after.state.Objects.Pods {
		if p.Object.Labels["k8s-app"] == "kube-dns" || p.Object.Labels["k8s-app"] == "coredns" || p.Object.Labels["app.kubernetes.io/name"] == "coredns" {
			serving[objects.Identity{Namespace: p.Object.Namespace, Name: netpath.Workload(p.Object.Name, p.Object.Labels)}] = true
		}
	}
	for _, e := range c.all {
		if e.role == podRole && serving[objects.Identity{Namespace: e.namespace, Name: e.name}] {
			c.dns[e] = true
		}
	}
}

// servers returns the DNS servers in a list.
func (c *comparison) servers(list []*entity) []*entity {
	var out []*entity
	for _, e := range list {
		if c.dns[e] {
			out = append(out, e)
		}
	}
	return out
}
