package apisource

import (
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/internal/input/manifest"
)

// store passes on what a reflector sees. Only the reflector uses it, except for
// Transformer and uid, which are safe for concurrent use.
type store struct {
	inbox    *inbox.Inbox
	finisher *manifest.Finisher
	mu       sync.Mutex
	// known are the objects that were passed on.
	known map[objects.Name]version
	// balanced stores pass on Services of type LoadBalancer only, with their versions.
	balanced bool
	// object is an example of the kind, for deletions.
	object metav1.Object
	// listed is called after the first list.
	listed func()
}

// version distinguishes an object from its earlier versions and from others with its name.
type version struct {
	resource string
	uid      types.UID
}

// uid returns the UID of a passed-on object, or "".
func (s *store) uid(k objects.Name) types.UID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[k].uid
}

// learn stores an object's version, and reports whether it was known and is unchanged.
func (s *store) learn(k objects.Name, v version) (had, same bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, had := s.known[k]
	s.known[k] = v
	return had, had && old == v
}

// holds reports whether a passed-on object still exists.
func (s *store) holds() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.known) > 0
}

func (s *store) forget(k objects.Name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, k)
}

var _ cache.TransformingStore = (*store)(nil)

// Transformer implements [cache.TransformingStore]: it strips objects as they
// are decoded, before a list is complete.
func (s *store) Transformer() cache.TransformFunc {
	return func(o any) (any, error) {
		object, ok := o.(metav1.Object)
		if !ok {
			return o, nil
		}
		trigger := object.GetAnnotations()[corev1.EndpointsLastChangeTriggerTime]
		kept, err := s.finisher.Finish(object)
		if err != nil {
			return nil, err
		}
		// These fields go no further than put.
		kept.SetUID(object.GetUID())
		kept.SetResourceVersion(object.GetResourceVersion())
		if trigger != "" {
			kept.SetAnnotations(map[string]string{corev1.EndpointsLastChangeTriggerTime: trigger})
		}
		return kept, nil
	}
}

// Add implements [cache.ReflectorStore].
func (s *store) Add(o any) error {
	small, err := s.Transformer()(o)
	if err != nil {
		return err
	}
	return s.put(small)
}

// Update implements [cache.ReflectorStore].
func (s *store) Update(o any) error { return s.Add(o) }

// put passes on a stripped object unless it is unchanged. The trigger of a
// changed slice is when its cause happened.
func (s *store) put(o any) error {
	object, ok := o.(metav1.Object)
	if !ok {
		return fmt.Errorf("%T is no object", o)
	}
	had, same := s.learn(objects.NameOf(object), version{object.GetResourceVersion(), object.GetUID()})
	if same {
		return nil
	}
	if s.passes(object) {
		s.inbox.Put(objects.Sourced[metav1.Object]{Object: object}, time.Time{})
		return nil
	}
	if _, service := object.(*corev1.Service); service && s.balanced {
		s.inbox.Delete(object)
		return nil
	}
	var trigger time.Time
	if _, slice := object.(*discoveryv1.EndpointSlice); slice && (had || s.wasListed()) {
		trigger, _ = time.Parse(time.RFC3339Nano, object.GetAnnotations()[corev1.EndpointsLastChangeTriggerTime])
	}
	object.SetAnnotations(nil)
	object.SetResourceVersion("")
	object.SetUID("")
	s.inbox.Put(objects.Sourced[metav1.Object]{Object: object}, trigger)
	return nil
}

// Delete implements [cache.ReflectorStore].
func (s *store) Delete(o any) error {
	if gone, ok := o.(cache.DeletedFinalStateUnknown); ok {
		o = gone.Obj
	}
	object, ok := o.(metav1.Object)
	if !ok {
		return fmt.Errorf("%T is no object", o)
	}
	s.forget(objects.NameOf(object))
	s.inbox.Delete(object)
	return nil
}

// Replace implements [cache.ReflectorStore]: a new list, at the start and when
// a watch could not resume.
func (s *store) Replace(list []any, _ string) error {
	gone := make(map[objects.Name]bool, len(s.known))
	for k := range s.known {
		gone[k] = true
	}
	// Objects of a list are not stripped yet; those of a stream are, but
	// stripping again is cheap.
	for _, o := range list {
		if object, ok := o.(metav1.Object); ok {
			delete(gone, objects.NameOf(object))
		}
		if err := s.Add(o); err != nil {
			return err
		}
	}
	for k := range gone {
		s.forget(k)
		s.inbox.Delete(s.named(k))
	}
	s.mu.Lock()
	listed := s.listed
	s.listed = nil
	s.mu.Unlock()
	if listed != nil {
		listed()
	}
	return nil
}

// wasListed reports whether the first list is complete.
func (s *store) wasListed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed == nil
}

// named returns an object of the kind that has only a name.
func (s *store) named(k objects.Name) metav1.Object {
	o := clone(s.object)
	o.SetNamespace(k.Namespace)
	o.SetName(k.Name)
	return o
}

// Resync implements [cache.ReflectorStore]: no objects are kept that could be
// passed on again.
func (s *store) Resync() error { return nil }
