package manifest

import (
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
)

// Finisher brings objects from other sources, such as an API server, to the
// form that [Load] returns: with defaults, and only with fields that planec
// reads. It is safe for concurrent use.
type Finisher struct {
	mu sync.Mutex
	d  *decoder
}

// NewFinisher returns a Finisher that shares equal strings between its objects. It
// ignores unknown fields, because an API server may be newer.
func NewFinisher() *Finisher { return &Finisher{d: newDecoder(nil)} }

// Finish returns the object to keep; the given one must not be used any more.
// Unsupported kinds are an error.
func (f *Finisher) Finish(o metav1.Object) (metav1.Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.finish(o)
}

func (f *Finisher) finish(o metav1.Object) (metav1.Object, error) {
	switch o := o.(type) {
	case *corev1.Service:
		return f.d.service(o), nil
	case *discoveryv1.EndpointSlice:
		return f.d.endpointSlice(o), nil
	case *corev1.Node:
		return f.d.k8sNode(o), nil
	case *corev1.Pod:
		return f.d.pod(o), nil
	case *corev1.Namespace:
		return f.d.namespace(o), nil
	case *networkingv1.ServiceCIDR:
		return f.d.serviceCIDR(o), nil
	case *networkingv1.NetworkPolicy:
		return f.d.networkPolicy(o), nil
	case *policyv1beta1.ClusterNetworkPolicy:
		return f.d.clusterNetworkPolicy(o), nil
	case *calicov3.NetworkPolicy:
		return f.d.calicoNetworkPolicy(o), nil
	case *calicov3.GlobalNetworkPolicy:
		return f.d.calicoGlobalNetworkPolicy(o), nil
	case *calicov3.Tier:
		return f.d.calicoTier(o), nil
	case *calicov3.NetworkSet:
		return f.d.calicoNetworkSet(o), nil
	case *calicov3.GlobalNetworkSet:
		return f.d.calicoGlobalNetworkSet(o), nil
	case *ciliumv2.NetworkPolicy:
		return f.d.ciliumNetworkPolicy(o), nil
	case *ciliumv2.ClusterwideNetworkPolicy:
		return f.d.ciliumClusterwideNetworkPolicy(o), nil
	case *ciliumv2.CIDRGroup:
		return f.d.ciliumCIDRGroup(o), nil
	case *ciliumv2.LoadBalancerIPPool:
		return f.d.ciliumPool(o), nil
	case *metallbv1beta1.IPAddressPool:
		return f.d.metalLBPool(o), nil
	case *corev1.ConfigMap:
		return f.d.configMap(o), nil
	case *corev1.ServiceAccount:
		return f.d.serviceAccount(o), nil
	case *mcs.ServiceImport:
		return f.d.serviceImport(o), nil
	case *mcs.ServiceExport:
		return f.d.serviceExport(o), nil
	case *policyv1alpha1.AdminNetworkPolicy:
		return f.d.adminNetworkPolicy(o), nil
	case *policyv1alpha1.BaselineAdminNetworkPolicy:
		return f.d.baselineAdminNetworkPolicy(o), nil
	}
	if kept := f.d.finishAnnouncing(o); kept != nil {
		return kept, nil
	}
	return nil, fmt.Errorf("%T %s/%s: a kind that is not read", o, o.GetNamespace(), o.GetName())
}
