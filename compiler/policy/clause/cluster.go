package clause

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
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
}

// Settings are choices that no object makes.
type Settings struct {
	// Domains are the addresses of DNS names, as the resolver of the cluster
	// answers. A name that is not there has none.
	Domains map[string][]netip.Addr
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

// Selector selects pods.
type Selector struct {
	// Text is canonical: selectors with equal texts select the same pods.
	Text string
	// Namespace is the only namespace that selected pods can be in, or "".
	Namespace string
	// Labels are some that every selected pod has, as the object has them. They
	// only narrow the search.
	Labels  []Label
	Matches func(*Pod) bool
}

// Set is a set of addresses.
type Set struct {
	Pods             []*Pod         // all their addresses
	Nodes            []*Node        // all their addresses
	Addresses        []netip.Addr   // others
	Networks, Except []netip.Prefix // with all pods and nodes in them; Except lies inside of Networks
	// OwnNode says whether the set holds the node that the rules are for.
	OwnNode bool
	// Domains are the DNS names that the set is for; see [ir.AddressSet].
	Domains []string
}

// Peer is a set of addresses for rules.
type Peer struct {
	// ID is canonical: peers with equal IDs have the same addresses, whatever
	// policy they are of. It begins with the dialect's name.
	ID string
	// PerNode says that the set differs from node to node, as one with "this
	// node" does.
	PerNode bool
	// Resolve makes the set, for a node by its name if PerNode is set. It is
	// called at most once for each node.
	Resolve func(node string) Set
}

// Policy is a policy of any dialect.
type Policy struct {
	// Kind tells policies of the same name apart, as "calico networkpolicy".
	Kind   string
	Origin ir.Origin
	// Tier is the place of the policy's rules. Tiers that are not Kubernetes' own
	// must be among those that the front end returns.
	Tier TierName
	// Order is the place among the tier's policies: smaller ones come first, and
	// equal ones by Tie. NetworkPolicies have [NetworkPolicyOrder].
	Order float64
	Tie   string // decides between policies of one order
	// Subject selects the pods that the policy is about; nil is none.
	Subject *Selector
	// Node reports whether the policy is about a node itself; nil is none.
	Node            func(*Node) bool
	Ingress, Egress Side // what the policy says of packets that the pods get and send
}

// NetworkPolicyOrder is the Order of Kubernetes' NetworkPolicies.
const NetworkPolicyOrder = 1000

// Side is one direction of a policy.
type Side struct {
	// Isolates says that packets which no rule of the tier matches are denied.
	Isolates bool
	// OwnNode says that they are denied also when the own node sends them to its
	// pod. It counts for ingress.
	OwnNode bool
	Rules   []Rule // in their order
}

// Side returns one direction.
func (p *Policy) Side(d ir.Direction) *Side {
	if d == ir.Ingress {
		return &p.Ingress
	}
	return &p.Egress
}

// Affects reports whether the policy says anything about a direction.
func (s *Side) Affects() bool { return s.Isolates || len(s.Rules) > 0 }

// Rule is one rule; see [ir.Rule] for the fields that it has in common.
type Rule struct {
	Action ir.Action
	Name   string
	// Rank comes before the policy's Order: all rules of a lower rank stand before
	// those of a higher one, as denies do in Cilium. Otherwise it is 0.
	Rank    int
	AnyPeer bool
	// Peers and NotPeers are the sets; several Peers count as their union.
	Peers, NotPeers []*Peer
	AnyPort         bool
	// Ports, NotPorts and SourcePorts need no order and may overlap.
	Ports, NotPorts, SourcePorts []ir.PortRange
	OwnNode                      bool
	Prefix, Payload              string
	Origin                       ir.Origin
	// For, if not nil, returns the rules that stand for this one for a pod of the
	// subject (none, if the rule is not about it), and a text that differs where
	// these rules differ: for named ports of the pod's own, or selectors of the own
	// side. The rules it returns have no For. It is nil for nodes.
	For func(*Pod) (rules []Rule, text string)
}

// TierName names a tier.
type TierName struct {
	Kind ir.TierKind
	Name string // of a tier of kind ir.NamedTier, or ""
}

// Tier is a tier that a dialect has besides Kubernetes' own.
type Tier struct {
	Name string
	// Order is its place: smaller ones come first, and equal ones by name. Those of
	// Kubernetes have the orders AdminOrder, NetworkOrder and BaselineOrder.
	Order float64
}

// The places of Kubernetes' own tiers, which are those that Calico gives them
// (its tiers kube-admin, default and kube-baseline).
const (
	AdminOrder    = 1_000
	NetworkOrder  = 1_000_000
	BaselineOrder = 10_000_000
)
