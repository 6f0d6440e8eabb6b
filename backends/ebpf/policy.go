package ebpf

import (
	"bytes"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// policyBuilder lays out the policies of a program.
type policyBuilder struct {
	*builder
	ids policyIDs
	// used are the rows that an entry refers to.
	used map[layout.PolicyID]bool
}

// layPolicies writes pod, class, row and port. They stay empty if no profile of a
// pod refuses anything.
func (b *builder) layPolicies() {
	if !b.policy.polices() {
		return
	}
	b.info.Features |= layout.FeaturePolicies
	if b.program.Policy.OnDeny == ir.Reject {
		b.info.Flags |= layout.FlagDenyReject
	}
	p := &policyBuilder{builder: b, ids: newPolicyIDs(b.hash), used: make(map[layout.PolicyID]bool)}
	p.layClasses()
	for i := range b.policy.Profiles {
		p.layProfile(&b.policy.Profiles[i])
	}
	p.layPorts()
}

// layProfile writes the pods of a profile, and its rows.
func (b *policyBuilder) layProfile(p *resolve.Profile) {
	if p.Ingress == nil && p.Egress == nil {
		return
	}
	id := b.ids.profile(p.ID)
	pod := layout.Pod{Profile: id}
	for _, d := range []struct {
		table     *resolve.Table
		direction uint8
		flag      uint32
		row       *layout.PolicyID
	}{
		{p.Egress, layout.DirectionEgress, layout.PodEgress, &pod.Egress},
		{p.Ingress, layout.DirectionIngress, layout.PodIngress, &pod.Ingress},
	} {
		if d.table == nil {
			continue
		}
		pod.Flags |= d.flag
		*d.row = b.layTable(d.table, layout.RowKey{Profile: id, Direction: d.direction})
	}
	t := &b.tables[layout.Pods]
	for i := range p.Pods {
		for _, a := range p.Pods[i].Addresses {
			key := layout.AddressOf(a)
			t.data = pod.Append(append(t.data, key[:]...))
			if b.symbols != nil {
				b.symbols.pod(key, p.Profile, &p.Pods[i])
			}
		}
	}
}

// layTable writes the rows of the classes that do not have the default row, and
// returns the default row.
func (b *policyBuilder) layTable(table *resolve.Table, key layout.RowKey) layout.PolicyID {
	compact := b.policy.tables[table]
	b.used[compact.standard] = true
	t := &b.tables[layout.Rows]
	t.grow(len(compact.rows))
	for _, r := range compact.rows {
		b.used[r.row] = true
		key.Class = layout.BE32Of(r.class)
		t.data = append(key.Append(t.data), r.row[:]...)
	}
	return compact.standard
}

// layPorts writes the used rows, except those that do not depend on ports. It
// writes entries sorted by prefix length and row, which is their final order.
func (b *policyBuilder) layPorts() {
	var used []int
	for i := range b.policy.Rows {
		if b.used[b.policy.rows[i]] && len(b.policy.Rows[i].Except) > 0 {
			used = append(used, i)
		}
	}
	slices.SortFunc(used, func(x, y int) int { return bytes.Compare(b.policy.rows[x][:], b.policy.rows[y][:]) })
	t := &b.tables[layout.Ports]
	var byLength [layout.MaxPortBits + 1][]byte
	var row []byte
	for _, i := range used {
		row = appendRow(row[:0], b.policy.rows[i], &b.policy.Rows[i])
		for entry := range slices.Chunk(row, t.stride()) {
			n := layout.DecodePortKey(entry).Bits
			byLength[n] = append(byLength[n], entry...)
		}
	}
	t.data = slices.Concat(byLength[:]...)
}
