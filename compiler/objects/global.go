package objects

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// The annotations of Services that several clusters serve together, and older names of the
// same (pkg/annotation of Cilium).
const (
	CiliumGlobal      = "service.cilium.io/global"
	CiliumGlobalOld   = "io.cilium/global-service"
	CiliumAffinity    = "service.cilium.io/affinity"
	CiliumAffinityOld = "io.cilium/service-affinity"
)

// SourceClusterLabel is on slices with endpoints of another cluster, with its name (KEP-1645);
// Cilium's operator makes such slices for global Services.
const SourceClusterLabel = "multicluster.kubernetes.io/source-cluster"

// GlobalAnnotations returns those annotations.
func GlobalAnnotations() []string {
	return []string{CiliumGlobal, CiliumGlobalOld, CiliumAffinity, CiliumAffinityOld}
}

// ClusterAffinity is which endpoints of a global Service take new connections while there
// are ready ones: "local" for those of the own cluster, "remote" for those of others; "none" for
// all, as in every Service that is not global.
func ClusterAffinity(s *corev1.Service) string {
	first := func(keys ...string) string {
		for _, k := range keys {
			if v, there := s.Annotations[k]; there {
				return v
			}
		}
		return ""
	}
	if first(CiliumGlobal, CiliumGlobalOld) != "true" {
		return "none"
	}
	if a := first(CiliumAffinity, CiliumAffinityOld); a != "" {
		return a
	}
	return "none"
}

// OfOtherCluster reports whether a slice has endpoints of another cluster.
func OfOtherCluster(s *discoveryv1.EndpointSlice) bool { return s.Labels[SourceClusterLabel] != "" }
