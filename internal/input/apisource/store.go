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

// store passes what a reflector sees on. It is the reflector's only, except for
// Transformer and uid, which are safe anyway.
type store struct {
	inbox    *inbox.Inbox
	finisher *manifest.Finisher
	mu       sync.Mutex
	// known is what was passed on.
	known map[objects.Name]version
	// object is one of the kind, for names of objects that are gone.
	object metav1.Object
	// listed is called once the first list is in.
	listed func()
}

// version tells an object from one of the same name, and from itself before.
type version struct {
	resource string
	uid      types.UID
}

// uid returns the UID of an object that was passed on, or "".
func (s *store) uid(k objects.Name) types.UID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[k].uid
}

// learn remembers an object and says whether it was known, and as it is now.
func (s *store) learn(k objects.Name, v version) (had, same bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, had := s.known[k]
	s.known[k] = v
	return had, had && old == v
}

// holds reports whether any object that was passed on is not gone.
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

// Transformer implements [cache.TransformingStore]: objects are made small as
// they are decoded, not when all of a list are there.
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
		// These go no further than put.
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

// put passes an object on that was made small, unless it is known. A slice that
// changes says when what it is about did.
func (s *store) put(o any) error {
	object, ok := o.(metav1.Object)
	if !ok {
		return fmt.Errorf("%T is no object", o)
	}
	had, same := s.learn(objects.NameOf(object), version{object.GetResourceVersion(), object.GetUID()})
	if same {
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
// the server could not go on where the watch was.
func (s *store) Replace(list []any, _ string) error {
	gone := make(map[objects.Name]bool, len(s.known))
	for k := range s.known {
		gone[k] = true
	}
	// What a list has comes as it is; what a stream had was made small already,
	// which costs little to do again.
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

// wasListed reports whether the first list is in.
func (s *store) wasListed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed == nil
}

// named returns an object of the kind that has nothing but a name.
func (s *store) named(k objects.Name) metav1.Object {
	o := clone(s.object)
	o.SetNamespace(k.Namespace)
	o.SetName(k.Name)
	return o
}

// Resync implements [cache.ReflectorStore]: nothing is kept that could be given
// out again.
func (s *store) Resync() error { return nil }
