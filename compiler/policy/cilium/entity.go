package cilium

// entities are the names of parts of the world, but for all (pkg/policy/api/entity.go).
// The CRD does not know world-ipv4 and world-ipv6.
func (w *world) entity(name string) []selector {
	switch name {
	case "world":
		return []selector{reserved(reservedWorld), reserved(reservedWorldIPv4), reserved(reservedWorldIPv6)}
	case "cluster":
		return append(clusterSelectors(), equal(sourceK8s, labelCluster, w.options.clusterName))
	case "cluster-mesh":
		return append(clusterSelectors(), selector{{sourceAny, labelCluster, opExists, nil}})
	default:
		return []selector{reserved(name)}
	}
}

// clusterSelectors select what belongs to the cluster besides pods.
func clusterSelectors() []selector {
	return []selector{
		reserved(reservedHost), reserved(reservedRemoteNode), reserved(reservedInit), reserved(reservedIngress),
		reserved(reservedHealth), reserved(reservedUnmanaged), reserved(reservedAPIServer),
	}
}

// everybody is the entity that needs no selector.
const everybody = "all"

// entityNames are those that a policy may name, as the CRD has them.
var entityNames = []string{everybody, "world", "cluster", "cluster-mesh", reservedHost, reservedInit, reservedIngress, reservedUnmanaged, reservedRemoteNode, reservedHealth, "none", reservedAPIServer}

// unseen are entities that objects of Kubernetes do not tell.
var unseen = []string{reservedHealth, reservedInit, reservedIngress, reservedUnmanaged}
