package xtpolicy

import "github.com/planec/planec/ir"

// further returns " -j " if the node's profile has rules for packets of a direction that
// the pods' policies have accepted, and " -g " otherwise.
func (b *builder) further(d ir.Direction) string {
	if b.nodeProfile != nil && b.nodeProfile.Table(d) != nil {
		return " -j "
	}
	return " -g "
}

// node writes the chains for what the node sends and what is delivered to it: the
// policies of pods about the own node, and those of the node itself. It returns the
// rules of the forward chain.
func (b *builder) node(begin, forward, input []string, profiles []profile) []string {
	output := begin[:len(begin):len(begin)]
	own := b.ownPods(profiles)
	if own != nil {
		forward = append(forward[:len(forward):len(forward)], own.in("dst")+" -m addrtype --src-type LOCAL -g "+ownChain)
	}
	if n := b.nodeProfile; n != nil && n.Ingress != nil {
		input = append(input[:len(input):len(input)], " -m addrtype ! --src-type LOCAL --dst-type LOCAL -g "+b.judge(ir.Ingress, n.Profile.Ingress, n.Ingress))
	}
	if n := b.nodeProfile; n != nil && n.Egress != nil {
		output = append(output, " -m addrtype ! --dst-type LOCAL -j "+b.judge(ir.Egress, n.Profile.Egress, n.Egress))
	}
	if own != nil {
		output = append(output, own.in("dst")+" -g "+ownChain)
	}
	if len(input) > len(begin) {
		b.rules.Input = inputChain
		b.chain(inputChain, input...)
	}
	if len(output) > len(begin) {
		b.rules.Output = outputChain
		b.chain(outputChain, output...)
	}
	return forward
}

// ownPods writes the chain that finds the row of packets from the own node to a pod.
// It returns the set of the pods that have one, or nil if there are none.
func (b *builder) ownPods(profiles []profile) *Set {
	var gate *Set
	var leaves []leaf
	for i := range profiles {
		p := &profiles[i]
		if p.Ingress == nil || p.Ingress.Own < 0 {
			continue
		}
		gate = b.set("plc-own-pods"+b.suffix, addresses)
		for _, a := range p.pods {
			gate.addAddr(a)
		}
		leaves = append(leaves, leaf{code: p.code, comment: b.comment(p.ID), target: b.target(b.rows.resolved[p.Ingress.Own])})
	}
	if gate == nil {
		return nil
	}
	t := trie{builder: b, prefix: "PLC-OWNS-", levels: treeLevels - rowLevels - b.portLevels() - b.specialLevels(), identity: []string{"own"}, test: func(bit int) string {
		return b.podBit(bit, profiles).in(podSide(ir.Ingress))
	}}
	b.chain(ownChain, t.build(leaves)...)
	return gate
}
