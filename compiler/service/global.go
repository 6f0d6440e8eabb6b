package service

import (
	"fmt"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// preferCluster marks the endpoints of a global Service that only serve while none of the preferred
// clusters is ready (Cilium's service affinity, pkg/loadbalancer/writer of Cilium). Flows to
// them go on.
func (s *service) preferCluster(list []endpoint) {
	if s.clusters != objects.AffinityLocal && s.clusters != objects.AffinityRemote {
		return
	}
	remote := s.clusters == objects.AffinityRemote
	if !slices.ContainsFunc(list, func(e endpoint) bool { return e.ready && e.remote == remote }) {
		return
	}
	for i := range list {
		list[i].spare = list[i].remote != remote
	}
}

// readClusters reads the affinity to clusters. Cilium takes an unknown word for none, without
// a word about it.
func (s *service) readClusters(diags *diag.List) {
	affinity, key := objects.ClusterAffinity(s.object)
	switch affinity {
	case objects.AffinityNone, objects.AffinityLocal, objects.AffinityRemote:
		s.clusters = affinity
	default:
		at := s.origin.At(fmt.Sprintf("metadata.annotations[%q]", key))
		diags.Add(diag.BadClusterAffinity, at, fmt.Sprintf("affinity %q is none of local, remote and none", clip(affinity)))
	}
}

// withoutNodes returns hints without those for nodes.
func withoutNodes(h *discoveryv1.EndpointHints) *discoveryv1.EndpointHints {
	if h == nil || len(h.ForNodes) == 0 {
		return h
	}
	return &discoveryv1.EndpointHints{ForZones: h.ForZones}
}

// ofCluster tells where a slice's endpoints are. Names of nodes count in their own cluster
// only: an endpoint elsewhere is on no node here, whatever its node is called. Where the own
// cluster's name is not known, a labelled slice may be of the own cluster, and names of nodes
// count, as for kube-proxy.
func (a *analysis) ofCluster(s *service, obj *discoveryv1.EndpointSlice) (remote, foreignNodes bool) {
	if obj.Labels[objects.SourceClusterLabel] == "" {
		return false, false // nearly always
	}
	own := objects.OwnCluster(s.object, a.settings.Cluster)
	remote = objects.OfOtherCluster(obj, own)
	return remote, remote && own != ""
}
