package clause

import "github.com/planec/planec/ir"

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
	// Asks tells by what the policy tells pods apart. It is made when it is called.
	Asks func() Asks
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
