package layer2

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/inbox"
)

// state is what the source has delivered.
type state struct {
	services map[objects.Name]objects.Sourced[*corev1.Service]
	slices   map[objects.Name]objects.Sourced[*discoveryv1.EndpointSlice]
	others   objects.Set
}

func newState() *state {
	return &state{services: make(map[objects.Name]objects.Sourced[*corev1.Service]), slices: make(map[objects.Name]objects.Sourced[*discoveryv1.EndpointSlice])}
}

// update takes changes.
func (s *state) update(b *inbox.Batch) {
	for _, u := range b.Update.Services {
		if s.services[u.Name] = u.Service; u.Service.Object == nil {
			delete(s.services, u.Name)
		}
	}
	for _, u := range b.Update.Slices {
		if s.slices[u.Name] = u.Slice; u.Slice.Object == nil {
			delete(s.slices, u.Name)
		}
	}
	if b.Update.Others != nil {
		s.others = *b.Update.Others
	}
}

// set is all of it.
func (s *state) set() *objects.Set {
	out := s.others
	for _, o := range s.services {
		out.Services = append(out.Services, o)
	}
	for _, o := range s.slices {
		out.EndpointSlices = append(out.EndpointSlices, o)
	}
	return &out
}
