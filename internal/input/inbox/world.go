package inbox

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/compiler/objects"
)

// World is all that a source has delivered, for readers that begin anew with each change. It is
// not safe for concurrent use.
type World struct {
	services map[objects.Name]objects.Sourced[*corev1.Service]
	slices   map[objects.Name]objects.Sourced[*discoveryv1.EndpointSlice]
	others   objects.Set
}

// NewWorld returns an empty one.
func NewWorld() *World {
	return &World{services: make(map[objects.Name]objects.Sourced[*corev1.Service]), slices: make(map[objects.Name]objects.Sourced[*discoveryv1.EndpointSlice])}
}

// Update takes changes.
func (w *World) Update(b *Batch) {
	for _, u := range b.Update.Services {
		if w.services[u.Name] = u.Service; u.Service.Object == nil {
			delete(w.services, u.Name)
		}
	}
	for _, u := range b.Update.Slices {
		if w.slices[u.Name] = u.Slice; u.Slice.Object == nil {
			delete(w.slices, u.Name)
		}
	}
	if b.Update.Others != nil {
		w.others = *b.Update.Others
	}
}

// Set is all of it, in no order.
func (w *World) Set() *objects.Set {
	out := w.others
	for _, o := range w.services {
		out.Services = append(out.Services, o)
	}
	for _, o := range w.slices {
		out.EndpointSlices = append(out.EndpointSlices, o)
	}
	return &out
}
