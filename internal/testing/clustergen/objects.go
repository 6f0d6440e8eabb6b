package clustergen

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects"
)

// Objects returns the cluster as package manifest would load it from the JSON, but
// without files and lines.
func Objects(size Size) objects.Set {
	g := generator{created: metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Local())}
	var set objects.Set
	for i := range size.nodes() {
		set.Nodes = append(set.Nodes, objects.Sourced[*corev1.Node]{Object: g.node(i)})
	}
	for i := range size.Services {
		s := size.service(i)
		set.Services = append(set.Services, objects.Sourced[*corev1.Service]{Object: g.service(s)})
		set.EndpointSlices = append(set.EndpointSlices, objects.Sourced[*discoveryv1.EndpointSlice]{Object: g.slice(s)})
	}
	return set
}

type generator struct{ created metav1.Time }

func (g generator) meta(namespace, name string, labels map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: labels, CreationTimestamp: g.created}
}

func (g generator) node(i int) *corev1.Node {
	name := nodeName(i)
	labels := map[string]string{
		"kubernetes.io/hostname":      name,
		"kubernetes.io/os":            "linux",
		"topology.kubernetes.io/zone": zoneOf(i),
	}
	return &corev1.Node{
		ObjectMeta: g.meta("", name, labels),
		Spec:       corev1.NodeSpec{PodCIDR: podCIDR(i), PodCIDRs: []string{podCIDR(i)}},
		Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: nodeIP(i)},
			{Type: corev1.NodeHostName, Address: name},
		}},
	}
}

func (g generator) service(s service) *corev1.Service {
	single, cluster := corev1.IPFamilyPolicySingleStack, corev1.ServiceInternalTrafficPolicyCluster
	return &corev1.Service{
		ObjectMeta: g.meta(s.namespace, s.name, map[string]string{"app": s.name}),
		Spec: corev1.ServiceSpec{
			Ports:                 []corev1.ServicePort{{Name: "http", Protocol: corev1.ProtocolTCP, Port: 80, TargetPort: intstr.FromInt32(8080)}},
			Selector:              map[string]string{"app": s.name},
			ClusterIP:             s.clusterIP,
			ClusterIPs:            []string{s.clusterIP},
			Type:                  corev1.ServiceTypeClusterIP,
			SessionAffinity:       corev1.ServiceAffinityNone,
			IPFamilies:            []corev1.IPFamily{corev1.IPv4Protocol},
			IPFamilyPolicy:        &single,
			InternalTrafficPolicy: &cluster,
		},
	}
}

func (g generator) slice(s service) *discoveryv1.EndpointSlice {
	labels := map[string]string{
		"app":                                    s.name,
		"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
		discoveryv1.LabelServiceName:             s.name,
	}
	yes, no, name, tcp, port := true, false, "http", corev1.ProtocolTCP, int32(8080)
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  g.meta(s.namespace, s.slice, labels),
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Protocol: &tcp, Port: &port}},
	}
	for i := range s.endpoints {
		e := s.endpoint(i)
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses:  []string{e.address},
			Conditions: discoveryv1.EndpointConditions{Ready: &yes, Serving: &yes, Terminating: &no},
			NodeName:   &e.node,
			Zone:       &e.zone,
		})
	}
	return slice
}
