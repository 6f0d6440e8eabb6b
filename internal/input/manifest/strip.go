package manifest

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// The functions below finish an object: defaults, then a copy with only the
// used fields. Most of a large cluster's dump is unused.

func (d *decoder) meta(m *metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:              m.Name,
		Namespace:         d.shared.string(m.Namespace),
		Labels:            d.shared.labels(m.Labels),
		Annotations:       kept(m.Annotations),
		CreationTimestamp: m.CreationTimestamp,
		DeletionTimestamp: m.DeletionTimestamp,
	}
}

// kept returns the annotation that planec reads of all kinds; those of Services that decide
// about addresses are added by [decoder.balanced].
func kept(all map[string]string) map[string]string {
	if codes, there := all[objects.IgnoreAnnotation]; there {
		return map[string]string{objects.IgnoreAnnotation: codes}
	}
	return nil
}

func (d *decoder) service(s *corev1.Service) *corev1.Service {
	defaultService(s)
	spec := &s.Spec
	for i := range spec.Ports {
		p := &spec.Ports[i]
		p.AppProtocol = nil
		p.Name = d.shared.string(p.Name)
		p.Protocol = corev1.Protocol(d.shared.string(string(p.Protocol)))
		p.TargetPort.StrVal = d.shared.string(p.TargetPort.StrVal)
	}
	if len(spec.ClusterIPs) > 0 && spec.ClusterIPs[0] == spec.ClusterIP {
		spec.ClusterIPs[0] = spec.ClusterIP // share the string
	}
	kept := corev1.ServiceSpec{
		Ports:                         slices.Clip(spec.Ports),
		Selector:                      d.shared.labels(spec.Selector),
		ClusterIP:                     spec.ClusterIP,
		ClusterIPs:                    slices.Clone(spec.ClusterIPs),
		Type:                          corev1.ServiceType(d.shared.string(string(spec.Type))),
		ExternalIPs:                   spec.ExternalIPs,
		SessionAffinity:               corev1.ServiceAffinity(d.shared.string(string(spec.SessionAffinity))),
		LoadBalancerSourceRanges:      spec.LoadBalancerSourceRanges,
		ExternalName:                  spec.ExternalName,
		ExternalTrafficPolicy:         spec.ExternalTrafficPolicy,
		HealthCheckNodePort:           spec.HealthCheckNodePort,
		PublishNotReadyAddresses:      spec.PublishNotReadyAddresses,
		SessionAffinityConfig:         spec.SessionAffinityConfig,
		IPFamilies:                    slices.Clone(spec.IPFamilies),
		IPFamilyPolicy:                share(d.shared, spec.IPFamilyPolicy),
		AllocateLoadBalancerNodePorts: sharedBool(spec.AllocateLoadBalancerNodePorts),
		InternalTrafficPolicy:         share(d.shared, spec.InternalTrafficPolicy),
		TrafficDistribution:           share(d.shared, spec.TrafficDistribution),
	}
	for i, f := range kept.IPFamilies {
		kept.IPFamilies[i] = corev1.IPFamily(d.shared.string(string(f)))
	}
	status := corev1.ServiceStatus{LoadBalancer: s.Status.LoadBalancer}
	out := &corev1.Service{ObjectMeta: d.meta(&s.ObjectMeta), Spec: kept, Status: status}
	d.balanced(out, s)
	for _, key := range objects.GlobalAnnotations() {
		if value, there := s.Annotations[key]; there {
			metav1.SetMetaDataAnnotation(&out.ObjectMeta, key, d.shared.string(value))
		}
	}
	return out
}

func (d *decoder) endpointSlice(s *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	defaultSlice(s)
	kept := &discoveryv1.EndpointSlice{
		ObjectMeta:  d.meta(&s.ObjectMeta),
		AddressType: discoveryv1.AddressType(d.shared.string(string(s.AddressType))),
		Endpoints:   make([]discoveryv1.Endpoint, len(s.Endpoints)),
		Ports:       make([]discoveryv1.EndpointPort, len(s.Ports)),
	}
	for i := range s.Endpoints {
		e := &s.Endpoints[i]
		kept.Endpoints[i] = discoveryv1.Endpoint{
			Addresses: slices.Clip(e.Addresses),
			Conditions: discoveryv1.EndpointConditions{
				Ready:       sharedBool(e.Conditions.Ready),
				Serving:     sharedBool(e.Conditions.Serving),
				Terminating: sharedBool(e.Conditions.Terminating),
			},
			Hostname: e.Hostname,
			NodeName: share(d.shared, e.NodeName),
			Zone:     share(d.shared, e.Zone),
			Hints:    e.Hints,
		}
	}
	for i, p := range s.Ports {
		kept.Ports[i] = discoveryv1.EndpointPort{Name: share(d.shared, p.Name), Protocol: share(d.shared, p.Protocol), Port: p.Port}
	}
	return kept
}

func (d *decoder) k8sNode(n *corev1.Node) *corev1.Node {
	defaultNode(n)
	return &corev1.Node{
		ObjectMeta: d.meta(&n.ObjectMeta),
		Spec:       corev1.NodeSpec{PodCIDR: n.Spec.PodCIDR, PodCIDRs: n.Spec.PodCIDRs, Taints: leaving(n.Spec.Taints)},
		Status:     corev1.NodeStatus{Addresses: n.Status.Addresses, Conditions: hindering(n.Status.Conditions)},
	}
}

// hindering returns the conditions that keep a node from announcing addresses, without their
// times, which change all the time: that it is not ready, and that it has no network.
func hindering(all []corev1.NodeCondition) (out []corev1.NodeCondition) {
	for _, c := range all {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue || c.Type == corev1.NodeNetworkUnavailable && c.Status == corev1.ConditionTrue {
			out = append(out, corev1.NodeCondition{Type: c.Type, Status: c.Status})
		}
	}
	return out
}

// TaintLeaving is on a node that the cluster autoscaler will remove soon
// (ToBeDeletedTaint in pkg/proxy/healthcheck/proxy_health.go).
const TaintLeaving = "ToBeDeletedByClusterAutoscaler"

// leaving keeps only that taint.
func leaving(taints []corev1.Taint) []corev1.Taint {
	for _, t := range taints {
		if t.Key == TaintLeaving {
			return []corev1.Taint{{Key: t.Key}}
		}
	}
	return nil
}

func (d *decoder) pod(p *corev1.Pod) *corev1.Pod {
	defaultPod(p)
	return &corev1.Pod{
		ObjectMeta: d.meta(&p.ObjectMeta),
		Spec: corev1.PodSpec{
			NodeName:           d.shared.string(p.Spec.NodeName),
			HostNetwork:        p.Spec.HostNetwork,
			Hostname:           p.Spec.Hostname,
			Subdomain:          d.shared.string(p.Spec.Subdomain),
			ServiceAccountName: d.shared.string(p.Spec.ServiceAccountName),
			Containers:         d.containers(p.Spec.Containers),
			InitContainers:     d.containers(p.Spec.InitContainers),
		},
		Status: corev1.PodStatus{
			Phase:  corev1.PodPhase(d.shared.string(string(p.Status.Phase))),
			PodIP:  p.Status.PodIP,
			PodIPs: p.Status.PodIPs,
		},
	}
}

// containers keeps what named ports of network policies need. To Kubernetes' policies an
// init container counts if its restart policy makes it a sidecar, to Calico's always.
func (d *decoder) containers(all []corev1.Container) []corev1.Container {
	var kept []corev1.Container
	for _, c := range all {
		if len(c.Ports) > 0 {
			kept = append(kept, corev1.Container{Name: d.shared.string(c.Name), Ports: c.Ports, RestartPolicy: c.RestartPolicy})
		}
	}
	for i := range kept {
		for j := range kept[i].Ports {
			if p := &kept[i].Ports[j]; p.Protocol == "" {
				p.Protocol = corev1.ProtocolTCP
			}
		}
	}
	return kept
}

func (d *decoder) namespace(n *corev1.Namespace) *corev1.Namespace {
	defaultNamespace(n)
	return &corev1.Namespace{ObjectMeta: d.meta(&n.ObjectMeta), Status: corev1.NamespaceStatus{Phase: n.Status.Phase}}
}

func (d *decoder) serviceCIDR(c *networkingv1.ServiceCIDR) *networkingv1.ServiceCIDR {
	return &networkingv1.ServiceCIDR{ObjectMeta: d.meta(&c.ObjectMeta), Spec: c.Spec}
}
