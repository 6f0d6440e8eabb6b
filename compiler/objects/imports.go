package objects

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects/mcs"
)

// Clusters are the objects of the Multi-Cluster Services API.
type Clusters struct {
	ServiceImports []Sourced[*mcs.ServiceImport] // v1beta1 and v1alpha1
	ServiceExports []Sourced[*mcs.ServiceExport]
	// Others are other clusters, where these are known (compiler/clusterset).
	Others []OtherCluster
}

// OtherCluster is what policies may choose from in another cluster.
type OtherCluster struct {
	Name       string // a DNS label
	Pods       []Sourced[*corev1.Pod]
	Namespaces []Sourced[*corev1.Namespace]
}

func (c *Clusters) append(other *Clusters) {
	c.ServiceImports = append(c.ServiceImports, other.ServiceImports...)
	c.Others = append(c.Others, other.Others...)
	c.ServiceExports = append(c.ServiceExports, other.ServiceExports...)
}

func (c *Clusters) lists() []List {
	return []List{listOf(mcs.KindServiceImport, &c.ServiceImports), listOf(mcs.KindServiceExport, &c.ServiceExports)}
}

// ImportName is what a ServiceImport is called among Services. An import usually has the name
// of a Service beside it; no Service has a name with a dot.
func ImportName(n Name) Name { return Name{n.Namespace, n.Name + ".clusterset"} }

// OwnerOf returns what a slice belongs to: the Service of its label, or else the import of its
// label, by [ImportName]; its Name is "" if it has neither. A slice with both labels belongs to the
// Service, which an implementation has derived of the import.
func OwnerOf(s *discoveryv1.EndpointSlice) Name {
	of := ServiceOf(s)
	if of.Name != "" {
		return of
	}
	if imported := s.Labels[mcs.LabelServiceName]; imported != "" {
		return ImportName(Name{s.Namespace, imported})
	}
	return of
}
