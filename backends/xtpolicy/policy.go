package xtpolicy

import (
	"cmp"
	"maps"
	"slices"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
	"github.com/planec/planec/ir/resolve"
)

// Policies are the policies of a program. They are resolved once for both
// families, on first use. Policies is not safe for concurrent use.
type Policies struct {
	policy *ir.Policy
	tables *resolve.Policy
	// rows are the rows of all tables, computed for both families together.
	rows *rows
	hash identity.Hash
}

// New returns the policies of p, which [ir.Verify] must accept. hash makes the names; nil
// means SHA-256.
func New(p *ir.Policy, hash identity.Hash) *Policies { return &Policies{policy: p, hash: hash} }

// Tables returns the resolved policies, or nil if there are none.
func (p *Policies) Tables() *resolve.Policy {
	if p.tables == nil && len(p.policy.Profiles) > 0 {
		p.tables = resolve.New(p.policy, p.hash)
	}
	return p.tables
}

// rowsOf returns the rows of the tables.
func (p *Policies) rowsOf(tables *resolve.Policy) *rows {
	if p.rows == nil {
		p.rows = newRows(tables.Rows, p.hash)
	}
	return p.rows
}

// Rules judge the packets of one family: chains of the filter table and the sets
// that they match.
type Rules struct {
	// Forward is the chain for forwarded packets, which judges both directions;
	// Input is the chain for packets from local pods to the node. Accepted packets
	// return to the caller. A name is empty if there is nothing to judge.
	Forward, Input string
	// Output is the chain for what the node itself sends, or empty.
	Output string
	// Refuse is the target for denied packets.
	Refuse string
	// Chains and Sets are sorted by name.
	Chains []Chain // those below Forward and Input, which are in it too
	Sets   []*Set  // those that the chains' rules name
}

// Chain is a chain with its rules, which lack "-A name" and begin with a space.
type Chain struct {
	Name  string   // the chain's name
	Rules []string // in order, without line ends
}

// Rules returns the rules of one family. If comments is set, rules name their profiles.
func (p *Policies) Rules(f ir.Family, comments bool) *Rules {
	if !selectsAny(p.policy, f) {
		return &Rules{}
	}
	tables := p.Tables()
	b := &builder{
		family: f, suffix: "-4", tables: tables, comments: comments,
		refuse: refusal(p.policy.OnDeny, f), rows: p.rowsOf(tables),
		names: xtables.NewNames(p.hash), codes: identity.Codes{Hash: p.hash},
		sets: make(map[string]*Set), ports: make(map[*row]string), tablesOf: make(map[string]*table),
		space: newSpace(f, tables), judged: make(map[string]bool),
	}
	if f == ir.IPv6 {
		b.suffix = "-6"
	}
	b.rules.Refuse = b.refuse
	b.policies()
	return b.finish()
}

// selectsAny reports whether policies select a pod with an address of the family.
func selectsAny(p *ir.Policy, f ir.Family) bool {
	return slices.ContainsFunc(p.Profiles, func(x ir.Profile) bool {
		return x.Node || slices.ContainsFunc(x.Pods, func(pod ir.Pod) bool { return len(ir.AddrsOf(f, pod.Addresses)) > 0 })
	})
}

// refusal returns the target for denied packets.
func refusal(r ir.Refusal, f ir.Family) string {
	if r == ir.Reject {
		return xtables.Reject(f)
	}
	return " -j DROP"
}

// accepted leaves planec's policy chains; the packet continues through foreign rules.
const accepted = " -j RETURN"

// builder collects one family's chains and sets.
type builder struct {
	family   ir.Family
	suffix   string
	tables   *resolve.Policy
	comments bool
	refuse   string

	names xtables.Names
	// codes are the codes of profiles.
	codes  identity.Codes
	rules  Rules
	sets   map[string]*Set
	space  *space
	rows   *rows
	ports  map[*row]string
	judged map[string]bool
	// nodeProfile is the profile of the node itself, or nil.
	nodeProfile *resolve.Profile
	// tablesOf caches tables by the identity of their tiers.
	tablesOf map[string]*table
}

func (b *builder) chain(name string, rules ...string) {
	b.rules.Chains = append(b.rules.Chains, Chain{name, rules})
}

// set returns the set with the given name, and creates it if necessary.
func (b *builder) set(name, kind string) *Set {
	if b.sets[name] == nil {
		b.sets[name] = &Set{Name: name, Kind: kind}
	}
	return b.sets[name]
}

func (b *builder) finish() *Rules {
	b.rules.Sets = slices.SortedFunc(maps.Values(b.sets), func(x, y *Set) int { return cmp.Compare(x.Name, y.Name) })
	slices.SortFunc(b.rules.Chains, func(x, y Chain) int { return cmp.Compare(x.Name, y.Name) })
	return &b.rules
}
