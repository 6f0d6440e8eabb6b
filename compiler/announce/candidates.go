package announce

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Kind says what an address of a Service is.
type Kind uint8

const (
	// LoadBalancerIP addresses are those of status.loadBalancer.
	LoadBalancerIP Kind = iota + 1
	// ExternalIP addresses are those of spec.externalIPs.
	ExternalIP
	// ClusterIP addresses are those of the Service inside of the cluster.
	ClusterIP
)

// String returns the name of the kind as Cilium writes it: "LoadBalancerIP".
func (k Kind) String() string {
	return [...]string{"", "LoadBalancerIP", "ExternalIP", "ClusterIP"}[k]
}

// Node is a node that may announce addresses.
type Node struct {
	Name   string
	Labels labels.Set
	// Object is the Node, or nil if the input has none of the name.
	Object *corev1.Node
	// Barred is why the node announces nothing, or "".
	Barred string
	// NotReady reports that the node is not ready. It is no reason of its own: the node's agent
	// runs, or nothing of this does.
	NotReady bool
}

// Address is an address of a Service.
type Address struct {
	Addr netip.Addr
	Kind Kind
	// Pool has the address; the zero value is none.
	Pool ipam.PoolName
}

// Service is a Service with addresses that may be announced.
type Service struct {
	Name   objects.Name
	Origin ir.Origin
	Object *corev1.Service
	// Addresses are sorted by kind and address.
	Addresses []Address
	// behind are the nodes with endpoints of each family, IPv4 first.
	behind [2]backing
}

// backing is where the endpoints of a family are.
type backing struct {
	ready, draining map[string]bool // by the names of nodes, "" for endpoints without one
}

// serving are the nodes whose endpoints count.
func (b *backing) serving() map[string]bool {
	if len(b.ready) > 0 {
		return b.ready
	}
	return b.draining
}

// Cluster is what is the same for all protocols.
type Cluster struct {
	nodes    []*Node
	services []*Service
	pools    *ipam.Finder
	balanced ipam.Settings
	bgp      bgpObjects
	diags    diag.List
}

// New reads the nodes and Services of a set, which is not changed, and the objects that say who
// announces them. The settings say which classes of load balancers are served. Of objects with
// the same name the set must have one: see [objects.Set.Deduplicate].
func New(set *objects.Set, s ipam.Settings) *Cluster {
	c := &Cluster{pools: ipam.NewFinder(set), balanced: s}
	for _, n := range set.Nodes {
		c.nodes = append(c.nodes, newNode(n.Object))
	}
	slices.SortFunc(c.nodes, func(a, b *Node) int { return cmp.Compare(a.Name, b.Name) })
	byName := make(map[objects.Name]*Service)
	for _, s := range set.Services {
		if made := newService(s, c.pools); made != nil {
			c.services, byName[made.Name] = append(c.services, made), made
		}
	}
	slices.SortFunc(c.services, func(a, b *Service) int { return a.Name.Compare(b.Name) })
	for _, s := range set.EndpointSlices {
		if owner := byName[objects.ServiceOf(s.Object)]; owner != nil {
			owner.add(s.Object)
		}
	}
	c.readBGP(set)
	c.diags.Sort()
	return c
}

// Diagnostics are what is wrong with objects, whatever the node.
func (c *Cluster) Diagnostics() diag.List { return c.diags }

// Nodes returns the nodes, sorted by name.
func (c *Cluster) Nodes() []*Node { return c.nodes }

// Services returns the Services with addresses, sorted by name.
func (c *Cluster) Services() []*Service { return c.services }

// Node returns a node by its name: one without labels if the input has none.
func (c *Cluster) Node(name string) *Node {
	i, found := slices.BinarySearchFunc(c.nodes, name, func(n *Node, name string) int { return cmp.Compare(n.Name, name) })
	if found {
		return c.nodes[i]
	}
	return &Node{Name: name}
}

func newNode(o *corev1.Node) *Node {
	n := &Node{Name: o.Name, Labels: o.Labels, Object: o}
	if _, excluded := o.Labels[corev1.LabelNodeExcludeBalancers]; excluded {
		n.Barred = "the node has the label " + corev1.LabelNodeExcludeBalancers
	}
	for _, c := range o.Status.Conditions {
		switch {
		case c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue:
			n.NotReady = true
		case c.Type == corev1.NodeNetworkUnavailable && c.Status == corev1.ConditionTrue:
			n.Barred = "the node has no network (NetworkUnavailable)"
		}
	}
	return n
}

// newService returns a Service with its addresses, or nil if it has none.
func newService(src objects.Sourced[*corev1.Service], pools *ipam.Finder) *Service {
	o := src.Object
	s := &Service{Name: objects.NameOf(o), Origin: objects.Origin("Service", src), Object: o}
	add := func(text string, kind Kind) {
		addr, err := netip.ParseAddr(text)
		if addr = addr.Unmap(); err != nil || addr.Zone() != "" || !addr.IsGlobalUnicast() {
			return // what is wrong with it is said where rules are made
		}
		a := Address{Addr: addr, Kind: kind}
		if kind == LoadBalancerIP {
			a.Pool, _ = pools.Pool(addr)
		}
		s.Addresses = append(s.Addresses, a)
	}
	if o.Spec.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	if o.Spec.Type == corev1.ServiceTypeLoadBalancer {
		for _, in := range o.Status.LoadBalancer.Ingress {
			if in.IPMode == nil || *in.IPMode != corev1.LoadBalancerIPModeProxy { // KEP-1860: another host's
				add(in.IP, LoadBalancerIP)
			}
		}
	}
	for _, text := range o.Spec.ExternalIPs {
		add(text, ExternalIP)
	}
	for _, text := range o.Spec.ClusterIPs {
		add(text, ClusterIP)
	}
	slices.SortFunc(s.Addresses, compareAddresses)
	s.Addresses = slices.Compact(s.Addresses)
	if len(s.Addresses) == 0 {
		return nil
	}
	return s
}

func compareAddresses(a, b Address) int {
	if a.Kind != b.Kind {
		return int(a.Kind) - int(b.Kind)
	}
	return a.Addr.Compare(b.Addr)
}

// add reads where the endpoints of a slice are.
func (s *Service) add(slice *discoveryv1.EndpointSlice) {
	i := 0
	switch slice.AddressType {
	case discoveryv1.AddressTypeIPv4:
	case discoveryv1.AddressTypeIPv6:
		i = 1
	default:
		return
	}
	b := &s.behind[i]
	for _, e := range slice.Endpoints {
		if len(e.Addresses) == 0 {
			continue
		}
		node := ""
		if e.NodeName != nil {
			node = *e.NodeName
		}
		c := e.Conditions
		switch {
		case c.Ready == nil || *c.Ready:
			b.ready = with(b.ready, node)
		case c.Terminating != nil && *c.Terminating && c.Serving != nil && *c.Serving:
			b.draining = with(b.draining, node)
		}
	}
}

func with(set map[string]bool, name string) map[string]bool {
	if set == nil {
		set = make(map[string]bool)
	}
	set[name] = true
	return set
}

// IsLocal reports whether an address of the kind is served by a node's own endpoints only.
func (s *Service) IsLocal(kind Kind) bool {
	if kind == ClusterIP {
		p := s.Object.Spec.InternalTrafficPolicy
		return p != nil && *p == corev1.ServiceInternalTrafficPolicyLocal
	}
	return s.Object.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
}

// Refuses returns why the node must not announce the address of the Service, or "".
func (s *Service) Refuses(n *Node, a Address) string {
	serving := s.behind[familyIndex(ir.FamilyOf(a.Addr))].serving()
	switch {
	case n.Barred != "":
		return n.Barred
	case len(serving) == 0:
		return "the Service has no endpoint of " + ir.FamilyOf(a.Addr).String()
	case s.IsLocal(a.Kind) && !serving[n.Name]:
		return "the traffic policy is Local, and the node has no endpoint"
	}
	return ""
}
