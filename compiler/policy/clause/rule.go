package clause

import "github.com/planec/planec/ir"

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
	// Auth is what the rule says about authentication. Rules of one tier for one
	// connection that say something decide together, whatever their Action and Rank,
	// which are those of a rule that is alone.
	Auth Auth
	// Proxy is the precedence of the proxy that the rule redirects to, higher ones
	// first, or 0 if it redirects to none.
	Proxy uint8
	// Group says that the Peers are all pods, for which a rule about authentication
	// counts as one for everybody.
	Group  bool
	Origin ir.Origin
	// For, if not nil, returns the rules that stand for this one for a pod of the
	// subject (none, if the rule is not about it), and a text that differs where
	// these rules differ: for named ports of the pod's own, or selectors of the own
	// side. The rules it returns have no For. It is nil for nodes.
	For func(*Pod) (rules []Rule, text string)
}

// Auth is what a rule says about authentication, the weakest first.
type Auth uint8

// NoAuth says nothing, AuthDisabled that none is needed, AuthRequired that both ends are
// to prove who they are, AuthFail that they never can.
const (
	NoAuth Auth = iota
	AuthDisabled
	AuthRequired
	AuthFail
)
