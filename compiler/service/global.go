package service

import (
	"slices"

	"github.com/planec/planec/compiler/objects"
)

// preferCluster marks the endpoints of a global Service that only serve while none of the preferred
// clusters is ready (Cilium's service affinity, pkg/loadbalancer/writer of Cilium). Flows to
// them go on.
func (s *service) preferCluster(list []endpoint) {
	var remote bool
	switch objects.ClusterAffinity(s.object) {
	case "local":
	case "remote":
		remote = true
	default:
		return
	}
	if !slices.ContainsFunc(list, func(e endpoint) bool { return e.ready && e.remote == remote }) {
		return
	}
	for i := range list {
		list[i].spare = list[i].remote != remote
	}
}
