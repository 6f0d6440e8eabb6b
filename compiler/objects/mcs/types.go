package mcs

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Group, its versions and its kinds.
const (
	Group = "multicluster.x-k8s.io"
	Beta  = "v1beta1"
	Alpha = "v1alpha1"

	KindServiceImport = "ServiceImport"
	KindServiceExport = "ServiceExport"
)

// The types of imports.
const (
	ClusterSetIP = "ClusterSetIP" // an address leads to the endpoints
	Headless     = "Headless"     // names lead to the endpoints
)

// LabelServiceName is on slices with the name of the ServiceImport that they belong to, and on a
// Service that an implementation derives of the import (pkg/apis/v1beta1/well_known_labels.go).
const LabelServiceName = "multicluster.kubernetes.io/service-name"

// DerivedService is the annotation of an import with the name of the Service that an
// implementation derives of it, and that serves its address (controllers/common.go).
const DerivedService = "multicluster.kubernetes.io/derived-service"

// ServiceImport is a Service of the set of clusters, as one of them sees it. Its own namespace and
// name are those of the Services that clusters export.
type ServiceImport struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              ServiceImportSpec `json:"spec"`
	Status            map[string]any    `json:"status,omitempty"` // is not read
}

// ServiceImportSpec says how the Service is reached.
type ServiceImportSpec struct {
	Ports []ServicePort `json:"ports"`
	IPs   []string      `json:"ips,omitempty"` // the addresses, at most one of each family; only with ClusterSetIP
	Type  string        `json:"type"`          // ClusterSetIP or Headless
	// SessionAffinity is None, which is the default, or ClientIP.
	SessionAffinity       corev1.ServiceAffinity               `json:"sessionAffinity,omitempty"`
	SessionAffinityConfig *corev1.SessionAffinityConfig        `json:"sessionAffinityConfig,omitempty"`
	IPFamilies            []corev1.IPFamily                    `json:"ipFamilies,omitempty"` // is not read: IPs has them
	InternalTrafficPolicy *corev1.ServiceInternalTrafficPolicy `json:"internalTrafficPolicy,omitempty"`
	// TrafficDistribution is not read: who writes slices puts hints into them.
	TrafficDistribution *string `json:"trafficDistribution,omitempty"`
}

// ServicePort is a port of an import. The name joins it with ports of slices.
type ServicePort struct {
	Name        string          `json:"name,omitempty"`        // "" for the only port
	Protocol    corev1.Protocol `json:"protocol,omitempty"`    // TCP, which is the default, UDP or SCTP
	AppProtocol *string         `json:"appProtocol,omitempty"` // is not read
	Port        int32           `json:"port"`                  // 1 to 65535
}

// ServiceExport makes the Service of its own namespace and name one of the set of clusters.
type ServiceExport struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              map[string]any `json:"spec,omitempty"`   // is not read
	Status            map[string]any `json:"status,omitempty"` // is not read
}

// DeepCopyObject implements runtime.Object.
func (i *ServiceImport) DeepCopyObject() runtime.Object {
	out := &ServiceImport{TypeMeta: i.TypeMeta, Spec: i.Spec, Status: runtime.DeepCopyJSON(i.Status)}
	i.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.Ports = append([]ServicePort(nil), i.Spec.Ports...)
	out.Spec.IPs, out.Spec.IPFamilies = append([]string(nil), i.Spec.IPs...), append([]corev1.IPFamily(nil), i.Spec.IPFamilies...)
	out.Spec.SessionAffinityConfig = i.Spec.SessionAffinityConfig.DeepCopy()
	for j := range out.Spec.Ports {
		out.Spec.Ports[j].AppProtocol = copied(i.Spec.Ports[j].AppProtocol)
	}
	out.Spec.InternalTrafficPolicy, out.Spec.TrafficDistribution = copied(i.Spec.InternalTrafficPolicy), copied(i.Spec.TrafficDistribution)
	return out
}

// DeepCopyObject implements runtime.Object.
func (e *ServiceExport) DeepCopyObject() runtime.Object {
	out := &ServiceExport{TypeMeta: e.TypeMeta, Spec: runtime.DeepCopyJSON(e.Spec), Status: runtime.DeepCopyJSON(e.Status)}
	e.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
