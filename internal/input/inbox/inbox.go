package inbox

import (
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
)

// Inbox is safe for concurrent use.
type Inbox struct {
	mu       sync.Mutex
	services map[objects.Name]compiler.ServiceUpdate
	slices   map[objects.Name]compiler.SliceUpdate
	others   others
	// addresses are the node's own, where they changed.
	addresses []netip.Addr
	// count is how many changes came since the last Take, and since is when the
	// first of them did.
	count    int
	since    time.Time
	triggers []time.Time
	complete bool
	wake     chan struct{}
}

// New returns an empty inbox.
func New() *Inbox {
	b := &Inbox{others: newOthers(), wake: make(chan struct{}, 1)}
	b.reset()
	return b
}

func (b *Inbox) reset() {
	b.services, b.slices = make(map[objects.Name]compiler.ServiceUpdate), make(map[objects.Name]compiler.SliceUpdate)
	b.count, b.since, b.triggers, b.addresses = 0, time.Time{}, nil, nil
}

// maxTriggers bounds how many times of causes are kept for measuring.
const maxTriggers = 1024

// Put takes an object that came or changed. The trigger is when what caused the
// change happened, as far as the object says; it may be zero. Kinds that the
// compiler does not read are ignored.
func (b *Inbox) Put(o objects.Sourced[metav1.Object], trigger time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := objects.NameOf(o.Object)
	switch object := o.Object.(type) {
	case *corev1.Service:
		b.services[k] = compiler.ServiceUpdate{Name: k, Service: sourced(object, o)}
	case *discoveryv1.EndpointSlice:
		b.slices[k] = compiler.SliceUpdate{Name: k, Slice: sourced(object, o)}
	default:
		if !b.others.put(k, o) {
			return
		}
	}
	if !trigger.IsZero() && len(b.triggers) < maxTriggers {
		b.triggers = append(b.triggers, trigger)
	}
	b.changed()
}

// Delete takes an object that is gone; only its kind and name are looked at.
func (b *Inbox) Delete(o metav1.Object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := objects.NameOf(o)
	switch o.(type) {
	case *corev1.Service:
		b.services[k] = compiler.ServiceUpdate{Name: k}
	case *discoveryv1.EndpointSlice:
		b.slices[k] = compiler.SliceUpdate{Name: k}
	default:
		if !b.others.remove(k, o) {
			return
		}
	}
	b.changed()
}

// SetAddresses takes the node's own addresses.
func (b *Inbox) SetAddresses(own []netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// Not nil, which would be "as before".
	b.addresses = append([]netip.Addr{}, own...)
	b.changed()
}

// Waiting says how many Services and slices have changed since the last Take.
func (b *Inbox) Waiting() (services, slices int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.services), len(b.slices)
}

// Complete says that the first listing of everything is in. What was listed waits
// from now on: before, it was not known to be all.
func (b *Inbox) Complete() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.complete && b.count > 0 {
		b.since = time.Now()
	}
	b.complete = true
	b.ring()
}

// changed counts a change. Before the first listing is complete it is not told.
func (b *Inbox) changed() {
	if b.count++; b.since.IsZero() {
		b.since = time.Now()
	}
	if b.complete {
		b.ring()
	}
}

func (b *Inbox) ring() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Wake has something to read when there may be something to take.
func (b *Inbox) Wake() <-chan struct{} { return b.wake }

// Pending says how many changes wait, and since when the first has; 0 before the
// first listing is complete.
func (b *Inbox) Pending() (int, time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.complete {
		return 0, time.Time{}
	}
	return b.count, b.since
}

// Batch is what was gathered.
type Batch struct {
	Update compiler.Update // the changes, each object once
	// Count is how many changes it is made of, Since when the first came.
	Count int
	Since time.Time
	// Triggers are when what caused the changes happened, where objects say so.
	Triggers []time.Time
}

// Set is a first batch as a whole.
func (b *Batch) Set() objects.Set {
	var set objects.Set
	if b.Update.Others != nil {
		set = *b.Update.Others
	}
	for _, s := range b.Update.Services {
		if s.Service.Object != nil {
			set.Services = append(set.Services, s.Service)
		}
	}
	for _, s := range b.Update.Slices {
		if s.Slice.Object != nil {
			set.EndpointSlices = append(set.EndpointSlices, s.Slice)
		}
	}
	return set
}

// Take gives out what was gathered; ok is false before the first listing is
// complete.
func (b *Inbox) Take() (out Batch, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.complete {
		return Batch{}, false
	}
	out = Batch{Count: b.count, Since: b.since, Triggers: b.triggers}
	for _, s := range b.services {
		out.Update.Services = append(out.Update.Services, s)
	}
	for _, s := range b.slices {
		out.Update.Slices = append(out.Update.Slices, s)
	}
	out.Update.Others, out.Update.LocalAddresses = b.others.take(), b.addresses
	b.reset()
	return out, true
}

// sourced gives an object the place of another.
func sourced[T metav1.Object](object T, at objects.Sourced[metav1.Object]) objects.Sourced[T] {
	return objects.Sourced[T]{Object: object, File: at.File, Line: at.Line}
}
