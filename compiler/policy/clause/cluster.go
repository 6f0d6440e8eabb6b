package clause

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
)

// Cluster is what policies choose from. It does not change.
type Cluster struct {
	Pods       []*Pod       // sorted by namespace and name; none that has finished or is on the host's network
	Namespaces []*Namespace // sorted by name, also those that only pods name
	Nodes      []*Node      // sorted by name
	// Objects are all objects, for what a dialect reads besides: its own kinds,
	// Services, ServiceAccounts.
	Objects  *objects.Set
	Settings Settings // what the node's administrator chose

	index index
}

// Settings are choices that no object makes.
type Settings struct {
	// Domains are the addresses of DNS names, as the resolver of the cluster
	// answers. A name that is not there has none.
	Domains map[string][]netip.Addr
	// Cluster is the name of the own cluster among several, or "".
	Cluster string
	// Separate keeps NetworkPolicies in a tier of their own beside those of other
	// dialects, instead of taking part in the dialect's.
	Separate bool
}

// Namespace is a namespace with its pods.
type Namespace struct {
	Name   string            // metadata.name
	Labels map[string]string // with kubernetes.io/metadata.name
	Pods   []*Pod            // sorted by name
}

// Pod is a pod that policies can select.
type Pod struct {
	Namespace *Namespace
	Name      string            // metadata.name
	Labels    map[string]string // as the object has them
	Node      string            // spec.nodeName, or ""
	Addresses []netip.Addr      // those that no other pod has, sorted
	Object    *corev1.Pod       // for ports, service account and annotations; it must not be changed
}

// Node is a Node with its addresses.
type Node struct {
	Name      string            // metadata.name
	Labels    map[string]string // as the object has them
	Addresses []netip.Addr      // of status.addresses
	Object    *corev1.Node      // it must not be changed
}

// Label is one label.
type Label struct{ Key, Value string }
