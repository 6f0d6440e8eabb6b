package manifest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func pointer[T any](v T) *T { return &v }

func TestServiceDefaults(t *testing.T) {
	cluster := pointer(corev1.ServiceInternalTrafficPolicyCluster)
	affinity := &corev1.SessionAffinityConfig{ClientIP: &corev1.ClientIPConfig{TimeoutSeconds: pointer[int32](10800)}}
	tests := []struct {
		name, spec string
		want       corev1.ServiceSpec
	}{
		{"nothing", "{}", corev1.ServiceSpec{Type: "ClusterIP", SessionAffinity: "None", InternalTrafficPolicy: cluster}},
		{
			"ports", "{ports: [{port: 80}, {port: 53, protocol: UDP, targetPort: dns}]}",
			corev1.ServiceSpec{
				Type: "ClusterIP", SessionAffinity: "None", InternalTrafficPolicy: cluster,
				Ports: []corev1.ServicePort{
					{Port: 80, Protocol: "TCP", TargetPort: intstr.FromInt32(80)},
					{Port: 53, Protocol: "UDP", TargetPort: intstr.FromString("dns")},
				},
			},
		},
		{
			"clusterIP to clusterIPs", "{clusterIP: 10.0.0.1}",
			corev1.ServiceSpec{ClusterIP: "10.0.0.1", ClusterIPs: []string{"10.0.0.1"}, Type: "ClusterIP", SessionAffinity: "None", InternalTrafficPolicy: cluster},
		},
		{
			"clusterIPs to clusterIP", "{clusterIPs: [10.0.0.1, 'fd00::1']}",
			corev1.ServiceSpec{ClusterIP: "10.0.0.1", ClusterIPs: []string{"10.0.0.1", "fd00::1"}, Type: "ClusterIP", SessionAffinity: "None", InternalTrafficPolicy: cluster},
		},
		{
			"NodePort", "{type: NodePort, sessionAffinity: ClientIP}",
			corev1.ServiceSpec{Type: "NodePort", SessionAffinity: "ClientIP", SessionAffinityConfig: affinity, InternalTrafficPolicy: cluster, ExternalTrafficPolicy: "Cluster"},
		},
		{
			"LoadBalancer", "{type: LoadBalancer, externalTrafficPolicy: Local, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {}}}",
			corev1.ServiceSpec{
				Type: "LoadBalancer", SessionAffinity: "ClientIP", SessionAffinityConfig: affinity, InternalTrafficPolicy: cluster,
				ExternalTrafficPolicy: "Local", AllocateLoadBalancerNodePorts: pointer(true),
			},
		},
		{
			"externalIPs", "{externalIPs: [192.0.2.1], sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}}",
			corev1.ServiceSpec{Type: "ClusterIP", ExternalIPs: []string{"192.0.2.1"}, SessionAffinity: "None", InternalTrafficPolicy: cluster, ExternalTrafficPolicy: "Cluster"},
		},
		{"ExternalName", "{type: ExternalName, externalName: x}", corev1.ServiceSpec{Type: "ExternalName", ExternalName: "x", SessionAffinity: "None"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, diags := load(t, svcA+"spec: "+tt.spec+"\n")
			if len(diags) > 0 || len(set.Services) != 1 {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(tt.want, set.Services[0].Object.Spec); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOtherDefaults(t *testing.T) {
	set, diags := load(t, `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s, annotations: {x: z}}
ports: [{port: 80}]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: false}, nodeName: node, targetRef: {kind: Pod, name: p}}]
---
apiVersion: v1
kind: Namespace
metadata: {name: ns}
---
apiVersion: v1
kind: Pod
metadata: {name: p, creationTimestamp: 2026-01-02T03:04:05Z, managedFields: [{manager: x}]}
spec:
  nodeName: node
  volumes: [{name: v}]
  containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}, {name: d}]
status: {podIP: 10.0.0.1, phase: Running}
---
apiVersion: v1
kind: Node
metadata: {name: node}
spec: {podCIDR: 10.0.0.0/24}
status: {capacity: {cpu: 1}, addresses: [{type: InternalIP, address: 192.0.2.1}]}
`)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "s", Namespace: "default"},
		Ports:      []discoveryv1.EndpointPort{{Name: pointer(""), Protocol: pointer(corev1.ProtocolTCP), Port: pointer[int32](80)}},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: pointer(false)}, NodeName: pointer("node")}},
	}
	if diff := cmp.Diff(slice, set.EndpointSlices[0].Object); diff != "" {
		t.Error(diff)
	}
	if got := set.Namespaces[0].Object.Labels; got["kubernetes.io/metadata.name"] != "ns" {
		t.Error(got)
	}
	pod := set.Pods[0].Object
	if len(pod.Status.PodIPs) != 1 || len(pod.Spec.Containers) != 1 || pod.Spec.Containers[0].Ports[0].Protocol != "TCP" || pod.CreationTimestamp.IsZero() || pod.ManagedFields != nil {
		t.Errorf("%+v", pod)
	}
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "node"},
		Spec:       corev1.NodeSpec{PodCIDR: "10.0.0.0/24", PodCIDRs: []string{"10.0.0.0/24"}},
		Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: "InternalIP", Address: "192.0.2.1"}}},
	}
	if diff := cmp.Diff(node, set.Nodes[0].Object); diff != "" {
		t.Error(diff)
	}
}
