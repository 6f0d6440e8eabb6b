package cilium

import (
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/types"
)

// lookup returns the entry that decides about a packet, as the datapath finds it
// (bpf/lib/policy.h, __policy_can_access and __policy_check): of the entry for the peer's
// identity and that for its aggregate the one of the higher precedence, then the one for
// fewer ports, then the former.
//
// The engine's own EndpointPolicy.Lookup, which stands in for the datapath in its tests,
// differs in one point: of two entries that allow, where one is about a part of the ports
// of the other, it takes the wider one, against its comment. Only rules about
// authentication tell the two apart.
func lookup(p *policy.EndpointPolicy, key policy.Key) policy.MapStateEntry {
	id, ofID, haveID := longest(p, key)
	group := key.WithIdentity(aggregateOf(key.Identity))
	agg, ofAgg, haveAgg := longest(p, group)
	haveAgg = haveAgg && group.Identity != key.Identity
	if !haveID && !haveAgg && group.Identity != identity.IdentityUnknown {
		agg, _, haveAgg = longest(p, key.WithIdentity(identity.IdentityUnknown))
	}
	switch {
	case !haveID && !haveAgg:
		return types.DenyEntry()
	case !haveAgg:
		return id
	case !haveID:
		return agg
	case agg.Precedence > id.Precedence || agg.Precedence == id.Precedence && ofAgg > ofID:
		return withAuth(agg, id)
	}
	return withAuth(id, agg)
}

// withAuth gives a chosen entry without authentication of its own that of the other one,
// if that has the same precedence.
func withAuth(chosen, other policy.MapStateEntry) policy.MapStateEntry {
	if chosen.Precedence == other.Precedence && !chosen.AuthRequirement.IsExplicit() && other.AuthRequirement.AuthType() > chosen.AuthRequirement.AuthType() {
		chosen.AuthRequirement = other.AuthRequirement.AsDerived()
	}
	return chosen
}

// longest returns the entry for the fewest ports of a key's identity, and the length of its
// prefix.
func longest(p *policy.EndpointPolicy, key policy.Key) (entry policy.MapStateEntry, length uint, ok bool) {
	port, proto := key.DestPort, key.Nexthdr
	for bits := uint8(16); bits > 0; bits-- {
		k := key.WithPortPrefix(port, bits)
		if k.DestPort == 0 {
			break // every port of the protocol has no prefix
		}
		if e, there := p.Get(k); there && e.IsValid() {
			return e, k.PrefixLength(), true
		}
	}
	for _, k := range []policy.Key{key.WithPortProto(proto, 0), key.WithPortProto(0, 0)} {
		if e, there := p.Get(k); there && e.IsValid() {
			return e, k.PrefixLength(), true
		}
	}
	return entry, 0, false
}

// aggregateOf does what pkg/policy/aggregate.go does, which exports nothing.
func aggregateOf(id identity.NumericIdentity) identity.NumericIdentity {
	switch id {
	case identity.ReservedIdentityAggregateCluster, identity.ReservedIdentityAggregateClusterMesh, identity.ReservedIdentityAggregateWorld, identity.ReservedIdentityAggregateRemoteNode:
		return id
	}
	switch {
	case id < 100:
		return identity.IdentityUnknown
	case id.Scope() == identity.IdentityScopeRemoteNode:
		return identity.ReservedIdentityAggregateRemoteNode
	case id.Scope() == identity.IdentityScopeLocal:
		return identity.ReservedIdentityAggregateWorld
	case id.ClusterID() == option.Config.ClusterID:
		return identity.ReservedIdentityAggregateCluster
	}
	return identity.ReservedIdentityAggregateClusterMesh
}
