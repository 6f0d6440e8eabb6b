package xtpolicy

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// table is the compiled form of a table of package resolve: sets of peers. Tiers
// with the same effect share it, across profiles and directions.
type table struct {
	key string
	// other is the row of the peers that are in no set.
	other *row
	// yes and no are the accepted and the denied pairs of address and port. They
	// take precedence over the row; nil if no pair is possible.
	yes, no *Set
	// rows are the rows of peers that differ from other.
	rows []*row
	// bits are the sets of peers for each bit of their row's code; differ has all
	// peers with a row in rows.
	differ *Set
	bits   map[int]*Set
}

// judge returns the chain that judges packets in one direction of a profile.
func (b *builder) judge(d ir.Direction, tiers []ir.Tier, resolved *resolve.Table) string {
	key := keyOf(tiers)
	prefix := egressChain + "-"
	if d == ir.Ingress {
		prefix = ingressChain + "-"
	}
	name := b.names.Of(prefix, key)
	if b.judged[name] {
		return name
	}
	b.judged[name] = true
	t := b.tablesOf[key]
	if t == nil {
		t = b.table(key, tiers, resolved)
		b.tablesOf[key] = t
	}
	b.chain(name, b.judgement(d, t)...)
	return name
}

func (b *builder) judgement(d ir.Direction, t *table) []string {
	var rules []string
	peer := peerSide(d)
	if t.yes != nil {
		rules = append(rules, t.yes.in(peer+",dst")+accepted)
	}
	if t.no != nil {
		rules = append(rules, t.no.in(peer+",dst")+b.refuse)
	}
	if len(t.rows) > 0 {
		rules = append(rules, t.differ.in(peer)+b.rowTarget(d, t))
	}
	if other := b.target(t.other); other != accepted {
		rules = append(rules, other)
	}
	return rules
}

// rowTarget returns the rules that find the row of a peer that has its own row.
func (b *builder) rowTarget(d ir.Direction, t *table) string {
	if len(t.rows) == 1 {
		return b.target(t.rows[0])
	}
	leaves := make([]leaf, len(t.rows))
	for i, r := range t.rows {
		leaves[i] = leaf{code: r.code, target: b.target(r)}
	}
	find := trie{builder: b, prefix: "PLC-ROWS-", levels: rowLevels, identity: []string{d.String(), t.key}, test: func(bit int) string {
		return t.bits[bit].in(peerSide(d))
	}}
	name := b.names.Of("PLC-ROWS-", d.String(), t.key)
	b.chain(name, find.build(leaves)...)
	return " -g " + name
}

// keyOf identifies the effect of tiers, regardless of the policies they come from.
func keyOf(tiers []ir.Tier) string {
	w := writer{sha256.New()}
	for _, t := range tiers {
		w.words(t.Kind.String(), t.Default.String(), strconv.Itoa(len(t.Rules)))
		if t.OwnNode {
			w.words("own node")
		}
		for i := range t.Rules {
			r := &t.Rules[i]
			w.words(r.Action.String(), strconv.FormatBool(r.AnyPeer), strconv.Itoa(len(r.Peers)))
			w.words(r.Peers...)
			w.words(strconv.FormatBool(r.AnyPort), strconv.Itoa(len(r.Ports)))
			for _, p := range r.Ports {
				w.words(p.String())
			}
			w.dialect(r)
		}
	}
	return hex.EncodeToString(w.Sum(nil))
}

type writer struct{ hash.Hash }

// words writes the words unambiguously: different lists give different output.
func (w writer) words(list ...string) {
	for _, s := range list {
		_, _ = w.Write([]byte(strconv.Itoa(len(s)) + ":" + s))
	}
}

// dialect writes what most rules do not have.
func (w writer) dialect(r *ir.Rule) {
	if len(r.NotPeers)+len(r.NotPorts)+len(r.SourcePorts)+len(r.Prefix) == 0 && !r.OwnNode {
		return
	}
	w.words("not peers", strconv.Itoa(len(r.NotPeers)))
	w.words(r.NotPeers...)
	for _, list := range [][]ir.PortRange{r.NotPorts, r.SourcePorts} {
		w.words("ports", strconv.Itoa(len(list)))
		for _, p := range list {
			w.words(p.String())
		}
	}
	w.words(r.Prefix, strconv.FormatBool(r.OwnNode))
}

// namesPeers reports whether the tiers treat any peers differently.
func namesPeers(tiers []ir.Tier) bool {
	return slices.ContainsFunc(tiers, func(t ir.Tier) bool {
		return slices.ContainsFunc(t.Rules, func(r ir.Rule) bool { return len(r.Peers)+len(r.NotPeers) > 0 })
	})
}
