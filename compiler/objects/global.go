package objects

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The annotations of Services that several clusters serve together, and older names of the
// same (pkg/annotation of Cilium).
const (
	CiliumGlobal      = "service.cilium.io/global"
	CiliumGlobalOld   = "io.cilium/global-service"
	CiliumAffinity    = "service.cilium.io/affinity"
	CiliumAffinityOld = "io.cilium/service-affinity"
	CiliumShared      = "service.cilium.io/shared"
	CiliumSharedOld   = "io.cilium/shared-service"
)

// SourceClusterLabel is on slices with endpoints of another cluster, with its name (KEP-1645);
// Cilium's operator makes such slices for global Services. On the Service that an
// implementation derives of a ServiceImport it has the name of the own cluster, and so have
// the slices of the own cluster (pkg/clustermesh/mcsapi of Cilium).
const SourceClusterLabel = "multicluster.kubernetes.io/source-cluster"

// GlobalAnnotations returns those annotations.
func GlobalAnnotations() []string {
	return []string{CiliumGlobal, CiliumGlobalOld, CiliumAffinity, CiliumAffinityOld, CiliumShared, CiliumSharedOld}
}

// IsGlobal reports whether other clusters serve the Service too, by Cilium's annotation.
func IsGlobal(s *corev1.Service) bool {
	_, value := firstAnnotation(s, CiliumGlobal, CiliumGlobalOld)
	return strings.EqualFold(value, "true")
}

// Shares reports whether a global Service gives its endpoints to other clusters: it does, unless
// it says something other than "true".
func Shares(s *corev1.Service) bool {
	key, value := firstAnnotation(s, CiliumShared, CiliumSharedOld)
	return IsGlobal(s) && (key == "" || strings.EqualFold(value, "true"))
}

// The affinities of a global Service to clusters.
const (
	AffinityNone   = "none"
	AffinityLocal  = "local"
	AffinityRemote = "remote"
)

// ClusterAffinity is which endpoints of a global Service take new connections while there
// are ready ones: AffinityLocal for those of the own cluster, AffinityRemote for those of others;
// AffinityNone for all, as in every Service that is not global. Another word of the annotation key
// is returned as it is, and means none.
func ClusterAffinity(s *corev1.Service) (affinity, key string) {
	if !IsGlobal(s) {
		return AffinityNone, ""
	}
	key, value := firstAnnotation(s, CiliumAffinity, CiliumAffinityOld)
	if value == "" {
		return AffinityNone, key
	}
	return strings.ToLower(value), key
}

// firstAnnotation returns the first of the keys that an object has, and its value.
func firstAnnotation(o metav1.Object, keys ...string) (key, value string) {
	for _, key := range keys {
		if v, there := o.GetAnnotations()[key]; there {
			return key, v
		}
	}
	return "", ""
}

// OwnCluster is the name of the cluster that a Service is in: the configured one, or that of
// the label of a derived Service; "" if neither is there.
func OwnCluster(s *corev1.Service, configured string) string {
	if configured != "" {
		return configured
	}
	return s.Labels[SourceClusterLabel]
}

// OfOtherCluster reports whether a slice has endpoints of another cluster than own. If the
// own name is not known, every slice with a cluster's name has.
func OfOtherCluster(s *discoveryv1.EndpointSlice, own string) bool {
	from := s.Labels[SourceClusterLabel]
	return from != "" && from != own
}
