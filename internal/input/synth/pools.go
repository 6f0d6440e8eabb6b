package synth

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
)

// pooled reports whether the pools of the input give a Service its load-balancer addresses, so
// that none is made up.
func (m *maker) pooled(o *corev1.Service) bool {
	return m.in.HasPools() && m.options.Balancing.Serves(o)
}

// allocate gives Services the addresses of pools that planec's controller would give them.
func (m *maker) allocate() {
	if !m.in.HasPools() {
		return
	}
	settings := m.options.Balancing
	settings.Families = m.families
	result := ipam.Allocate(&m.out.Set, settings)
	m.out.Addresses = &result
	*m.diags = append(*m.diags, result.Diagnostics...)
	made := make(map[objects.Name]int, len(m.out.Made.Services))
	for i, s := range m.out.Made.Services {
		made[objects.NameOf(s.Object)] = i
	}
	for i, src := range m.out.Set.Services {
		name := objects.NameOf(src.Object)
		a := result.Of(name)
		if a == nil {
			continue
		}
		before := src.Object.Status.LoadBalancer.Ingress
		after := a.Ingress(before)
		if reflect.DeepEqual(before, after) {
			continue
		}
		o := src.Object.DeepCopy()
		o.Status.LoadBalancer.Ingress, o.Labels = after, labelled(o.Labels, completed)
		m.out.Set.Services[i].Object = o
		if at, is := made[name]; is {
			m.out.Made.Services[at].Object = o
		} else {
			m.out.Made.Services = append(m.out.Made.Services, m.out.Set.Services[i])
		}
	}
}
