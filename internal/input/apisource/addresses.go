package apisource

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
)

var metalLBVersion = schema.GroupVersion{Group: metallbv1beta1.Group, Version: metallbv1beta1.Version}

// addressKinds lists what decides about addresses of Services of type LoadBalancer. Clusters may
// lack the pools of either project.
func addressKinds() []kind {
	return []kind{
		{kind: "Service", group: corev1.SchemeGroupVersion, resource: "services", object: &corev1.Service{}, fields: "spec.clusterIP!=None"},
		{kind: "Namespace", group: corev1.SchemeGroupVersion, resource: "namespaces", object: &corev1.Namespace{}},
		{kind: "Node", group: corev1.SchemeGroupVersion, resource: "nodes", object: &corev1.Node{}},
		{
			kind: ciliumv2.KindLoadBalancerIPPool, group: ciliumVersion, resource: "ciliumloadbalancerippools", object: &ciliumv2.LoadBalancerIPPool{}, optional: true,
			older: []schema.GroupVersion{ciliumAlpha},
		},
		{kind: metallbv1beta1.KindIPAddressPool, group: metalLBVersion, resource: "ipaddresspools", object: &metallbv1beta1.IPAddressPool{}, optional: true},
	}
}

// passes reports whether an object is passed on with all that its finisher keeps: a Service
// that has, or had, addresses of pools.
func (s *store) passes(o metav1.Object) bool {
	service, is := o.(*corev1.Service)
	if !is || !s.balanced {
		return false
	}
	_, was := objects.Allocated(service)
	return was || service.Spec.Type == corev1.ServiceTypeLoadBalancer
}

// StatusManager is the field manager of the statuses that [Source.PatchStatus] writes.
const StatusManager = "planec-lb-ipam"

// PatchStatus applies a strategic merge patch to the status of a Service. It returns the Service
// as a source with [Options.Addresses] delivers it, or the API server's error.
func (s *Source) PatchStatus(ctx context.Context, name objects.Name, patch []byte) (*corev1.Service, error) {
	client, err := s.clients.of(corev1.SchemeGroupVersion)
	if err != nil {
		return nil, err
	}
	now := &corev1.Service{}
	err = client.Patch(types.StrategicMergePatchType).Namespace(name.Namespace).Resource("services").Name(name.Name).SubResource("status").
		Param("fieldManager", StatusManager).Body(patch).Do(ctx).Into(now)
	if err != nil {
		return nil, err
	}
	uid, version := now.UID, now.ResourceVersion
	kept, err := s.watched[0].store.finisher.Finish(now)
	if err != nil {
		return nil, err
	}
	kept.SetUID(uid)
	kept.SetResourceVersion(version)
	return kept.(*corev1.Service), nil
}
