package compare

// findDNS finds the pods that answer for names: those with kube-dns' label, which
// CoreDNS has too.
func (c *comparison) findDNS() {
	c.dns = make(map[*entity]bool)
	serving := make(map[objectKey]bool)
	for _, p := range c.after.state.Objects.Pods {
		if p.Object.Labels["k8s-app"] == "kube-dns" || p.Object.Labels["k8s-app"] == "coredns" || p.Object.Labels["app.kubernetes.io/name"] == "coredns" {
			serving[objectKey{"", p.Object.Namespace, workloadOf(p.Object.Name)}] = true
		}
	}
	for _, class := range c.classes {
		all := true
		for _, e := range class {
			all = all && e.role == podRole && serving[objectKey{"", e.namespace, e.name}]
		}
		if all {
			c.dns[class[0]] = true
		}
	}
}
