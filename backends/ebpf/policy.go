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
	// used are the rows that an entry refers to, without those that do not depend on ports.
	used map[layout.PolicyID]bool
}

// layPolicies writes pod, class, row, port, sport and log. They stay empty if no profile
// refuses or logs anything.
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

// layProfile writes the pods of a profile, and its rows. That of the node goes to meta.
func (b *policyBuilder) layProfile(p *resolve.Profile) {
	if p.Ingress == nil && p.Egress == nil {
		return
	}
	pod := b.pod(p)
	if p.Node {
		b.info.Node = pod
		if b.symbols != nil {
			b.symbols.nodeProfile = p.Profile
		}
		return
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

// pod writes the rows of a profile, and returns the value of its pods.
func (b *policyBuilder) pod(p *resolve.Profile) layout.Pod {
	pod := layout.Pod{Profile: b.ids.profile(p.ID)}
	for _, d := range []struct {
		table      *resolve.Table
		direction  uint8
		flag, open uint32
		row        *layout.PolicyID
	}{
		{p.Egress, layout.DirectionEgress, layout.PodEgress, layout.PodEgressOpen, &pod.Egress},
		{p.Ingress, layout.DirectionIngress, layout.PodIngress, layout.PodIngressOpen, &pod.Ingress},
	} {
		if d.table == nil {
			continue
		}
		compact := b.policy.tables[d.table]
		pod.Flags |= d.flag
		if !b.policy.denies(&compact) {
			pod.Flags |= d.open
		}
		if compact.own != (layout.PolicyID{}) {
			pod.Flags |= layout.PodOwn
		}
		if b.policy.logs(&compact) {
			pod.Flags |= layout.PodLogs
		}
		*d.row = compact.standard
		b.layTable(&compact, layout.RowKey{Profile: pod.Profile, Direction: d.direction})
	}
	return pod
}

// layTable writes the rows of the classes that do not have the default row, and that of
// the own node.
func (b *policyBuilder) layTable(table *policyTable, key layout.RowKey) {
	b.use(table.standard)
	t := &b.tables[layout.Rows]
	t.grow(len(table.rows) + 1)
	for _, r := range table.rows {
		b.use(r.row)
		key.Class = layout.BE32Of(r.class)
		t.data = append(key.Append(t.data), r.row[:]...)
	}
	if table.own != (layout.PolicyID{}) {
		b.use(table.own)
		key.Class, key.Direction = layout.BE32{}, layout.DirectionOwn
		t.data = append(key.Append(t.data), table.own[:]...)
	}
}

// use marks a row, and those of its source ports.
func (b *policyBuilder) use(id layout.PolicyID) {
	r := b.policy.laid[id]
	if r == nil || b.used[id] {
		return
	}
	b.used[id] = true
	for _, s := range r.sources {
		b.use(s.row)
	}
}

// layPorts writes the used rows. It writes entries of port and sport sorted by prefix
// length and row, which is their final order.
func (b *policyBuilder) layPorts() {
	used := make([]layout.PolicyID, 0, len(b.used))
	for id := range b.used {
		used = append(used, id)
	}
	slices.SortFunc(used, func(x, y layout.PolicyID) int { return bytes.Compare(x[:], y[:]) })
	ports, sources, logs := &b.tables[layout.Ports], &b.tables[layout.SourcePorts], &b.tables[layout.Logs]
	var port, source byLength
	for _, id := range used {
		r := b.policy.laid[id]
		port.add(ports, r.appendPorts(port.row[:0], id))
		source.add(sources, r.appendSources(source.row[:0], id))
		logs.data = r.appendLogs(logs.data, id)
	}
	ports.data, sources.data = slices.Concat(port.entries[:]...), slices.Concat(source.entries[:]...)
}

// byLength are entries whose keys are PortKeys, by their length.
type byLength struct {
	entries [layout.MaxPortBits + 1][]byte
	row     []byte // a buffer
}

func (l *byLength) add(m *Map, entries []byte) {
	l.row = entries
	for entry := range slices.Chunk(entries, m.stride()) {
		n := layout.DecodePortKey(entry).Bits
		l.entries[n] = append(l.entries[n], entry...)
	}
}
