package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// cast holds all objects that policies may select.
type cast struct {
	// namespaces and nodes are sorted by name, pods by namespace and name.
	namespaces []*namespace
	nodes      []*node
	// byName maps names to namespaces.
	byName map[string]*namespace
	pods   []*pod
	// addresses are the addresses of all pods and nodes, sorted, without
	// duplicates; indexOf gives the index of each.
	addresses []netip.Addr
	indexOf   map[netip.Addr]int
	// shared says that an address belongs to two of them.
	shared bool
	// labelled maps a label to its pods.
	labelled map[label][]*pod
	// labelledNamespaces maps a label to its namespaces.
	labelledNamespaces map[label][]*namespace
}

type label struct{ key, value string }

type namespace struct {
	name   string
	labels labels.Set
	pods   []*pod
}

// node is a Node with the addresses that a peer of nodes matches.
type node struct {
	name      string
	labels    labels.Set
	addresses []netip.Addr
	object    *corev1.Node
}

// pod is an unfinished pod that is not on the host's network.
type pod struct {
	namespace *namespace
	name      string
	labels    labels.Set
	node      string
	addresses []netip.Addr
	// ports are the named ports, by name.
	ports map[string][]containerPort
	// object is the Pod, for front ends of other dialects.
	object *corev1.Pod
}

// containerPort is a named port of a pod.
type containerPort struct {
	protocol ir.Protocol
	number   uint16
}

func (c *cast) collectAddresses() {
	for _, p := range c.pods {
		c.addresses = append(c.addresses, p.addresses...)
	}
	for _, n := range c.nodes {
		c.addresses = append(c.addresses, n.addresses...)
	}
	slices.SortFunc(c.addresses, netip.Addr.Compare)
	all := len(c.addresses)
	c.addresses = slices.Compact(c.addresses)
	c.shared = len(c.addresses) < all
	c.indexOf = make(map[netip.Addr]int, len(c.addresses))
	for i, a := range c.addresses {
		c.indexOf[a] = i
	}
}

func (p *pod) compare(q *pod) int {
	return cmp.Or(cmp.Compare(p.namespace.name, q.namespace.name), cmp.Compare(p.name, q.name))
}

// readCast reads the objects. hosts are the pods on the host's network, which
// policies cannot distinguish from their node.
func readCast(set *objects.Set, diags *diag.List) (c *cast, hosts []objects.Sourced[*corev1.Pod]) {
	c = &cast{labelled: make(map[label][]*pod), labelledNamespaces: make(map[label][]*namespace)}
	byName := c.readNamespaces(set)
	hosts = c.readPods(set, byName, diags)
	c.readNodes(set)
	slices.SortFunc(c.pods, (*pod).compare)
	c.collectAddresses()
	for _, p := range c.pods {
		p.namespace.pods = append(p.namespace.pods, p)
		for key, value := range p.labels {
			c.labelled[label{key, value}] = append(c.labelled[label{key, value}], p)
		}
	}
	for _, n := range byName {
		c.namespaces = append(c.namespaces, n)
	}
	slices.SortFunc(c.namespaces, func(a, b *namespace) int { return cmp.Compare(a.name, b.name) })
	c.byName = byName
	for _, n := range c.namespaces {
		for key, value := range n.labels {
			c.labelledNamespaces[label{key, value}] = append(c.labelledNamespaces[label{key, value}], n)
		}
	}
	return c, hosts
}

// readNamespaces takes the oldest of namespaces with the same name, as the
// loader does.
func (c *cast) readNamespaces(set *objects.Set) map[string]*namespace {
	out := make(map[string]*namespace)
	for _, src := range oldestFirst(set.Namespaces) {
		n := src.Object
		if out[n.Name] == nil {
			out[n.Name] = &namespace{name: n.Name, labels: n.Labels}
		}
	}
	return out
}

func (c *cast) readPods(set *objects.Set, byName map[string]*namespace, diags *diag.List) (hosts []objects.Sourced[*corev1.Pod]) {
	owners := make(map[netip.Addr]*pod)
	for _, src := range lastToGetAddresses(set.Pods) {
		object := src.Object
		if objects.Finished(object) {
			continue
		}
		ns := byName[object.Namespace]
		if ns == nil {
			diags.Add(diag.NoNamespace, objects.Origin("Pod", src), fmt.Sprintf("there is no Namespace %s", object.Namespace))
			ns = &namespace{name: object.Namespace, labels: labels.Set{corev1.LabelMetadataName: object.Namespace}}
			byName[object.Namespace] = ns
		}
		if object.Spec.HostNetwork {
			hosts = append(hosts, src)
			continue
		}
		p := &pod{namespace: ns, name: object.Name, labels: object.Labels, node: object.Spec.NodeName, ports: namedPorts(object), object: object}
		p.addresses = claim(src, p, owners, diags)
		c.pods = append(c.pods, p)
	}
	return hosts
}

// lastToGetAddresses sorts pods by their claim to a shared address: the youngest
// first, because it got the address from an older one. A pod without a
// creationTimestamp is not in the cluster, and takes no address from one that is.
func lastToGetAddresses(in []objects.Sourced[*corev1.Pod]) []objects.Sourced[*corev1.Pod] {
	sorted := once(oldestFirst(in))
	exist := slices.IndexFunc(sorted, func(p objects.Sourced[*corev1.Pod]) bool { return p.Object.CreationTimestamp.IsZero() })
	if exist < 0 {
		exist = len(sorted)
	}
	slices.Reverse(sorted[:exist])
	slices.Reverse(sorted[exist:])
	return sorted
}

// claim returns the addresses that only this pod has.
func claim(src objects.Sourced[*corev1.Pod], p *pod, owners map[netip.Addr]*pod, diags *diag.List) []netip.Addr {
	var out []netip.Addr
	for i, ip := range src.Object.Status.PodIPs {
		at := objects.Origin("Pod", src).At(fmt.Sprintf("status.podIPs[%d].ip", i))
		if ip.IP == "" {
			continue
		}
		a, err := netip.ParseAddr(ip.IP)
		if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
			diags.Add(diag.BadPodIP, at, fmt.Sprintf("%.80q is no address of a pod", ip.IP))
			continue
		}
		a = a.Unmap()
		if other := owners[a]; other != nil {
			if other != p {
				diags.Add(diag.SharedPodIP, at, fmt.Sprintf("%v belongs to %s/%s too", a, other.namespace.name, other.name))
			}
			continue
		}
		owners[a] = p
		out = append(out, a)
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}

// namedPorts lists the ports of containers and of sidecars, which are init
// containers that keep running (KEP-753).
func namedPorts(p *corev1.Pod) map[string][]containerPort {
	var out map[string][]containerPort
	for _, port := range objects.ContainerPorts(p) {
		proto := ir.TCP
		if port.Protocol != "" {
			var err error
			if proto, err = ir.ParseProtocol(string(port.Protocol)); err != nil {
				continue
			}
		}
		if port.Name != "" && 0 < port.ContainerPort && port.ContainerPort < 65536 {
			if out == nil {
				out = make(map[string][]containerPort)
			}
			out[port.Name] = append(out[port.Name], containerPort{proto, uint16(port.ContainerPort)})
		}
	}
	return out
}

func (c *cast) readNodes(set *objects.Set) {
	seen := make(map[string]bool)
	for _, src := range oldestFirst(set.Nodes) {
		object := src.Object
		if seen[object.Name] {
			continue
		}
		seen[object.Name] = true
		n := &node{name: object.Name, labels: object.Labels, object: object}
		for _, a := range object.Status.Addresses {
			// The same list also contains host names.
			if addr, err := netip.ParseAddr(a.Address); err == nil && addr.Zone() == "" {
				n.addresses = append(n.addresses, addr.Unmap())
			}
		}
		c.nodes = append(c.nodes, n)
	}
	slices.SortFunc(c.nodes, func(a, b *node) int { return cmp.Compare(a.name, b.name) })
}
