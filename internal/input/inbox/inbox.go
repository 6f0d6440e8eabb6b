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
	// addresses are the node's own, if they changed.
	addresses []netip.Addr
	// domains are the addresses of DNS names, if they changed.
	domains map[string][]netip.Addr
	// count is the number of changes since the last Take, and since is the time
	// of the first.
	count    int
	since    time.Time
	triggers []time.Time
	complete bool
	wake     chan struct{}
	// nodesChanged is for those that follow Nodes alone.
	nodesChanged chan struct{}
}

// New returns an empty inbox.
func New() *Inbox {
	b := &Inbox{others: newOthers(), wake: make(chan struct{}, 1), nodesChanged: make(chan struct{}, 1)}
	b.reset()
	return b
}

func (b *Inbox) reset() {
	b.services, b.slices = make(map[objects.Name]compiler.ServiceUpdate), make(map[objects.Name]compiler.SliceUpdate)
	b.count, b.since, b.triggers, b.addresses, b.domains = 0, time.Time{}, nil, nil, nil
}

// maxTriggers bounds the trigger times that are kept for measurements.
const maxTriggers = 1024

// Put takes an added or changed object. The trigger is when the cause of the
// change happened, as far as the object tells; it may be zero. Kinds that the
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
		b.ringNodes(o.Object)
	}
	if !trigger.IsZero() && len(b.triggers) < maxTriggers {
		b.triggers = append(b.triggers, trigger)
	}
	b.changed()
}

// Delete takes a removed object, of which only the kind and name matter.
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
		b.ringNodes(o)
	}
	b.changed()
}

// SetAddresses takes the node's own addresses.
func (b *Inbox) SetAddresses(own []netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// This must not be nil, which would mean "unchanged".
	b.addresses = append([]netip.Addr{}, own...)
	b.changed()
}

// Waiting returns how many Services and slices have changed since the last Take.
func (b *Inbox) Waiting() (services, slices int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.services), len(b.slices)
}

// Complete marks the first listing as complete. The waiting time of listed
// objects starts now, because they were incomplete before.
func (b *Inbox) Complete() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.complete && b.count > 0 {
		b.since = time.Now()
	}
	b.complete = true
	b.ring()
	b.ringNodes(&corev1.Node{})
}

// changed counts a change. It wakes the reader only after the first listing.
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

// Wake becomes readable when there may be something to take.
func (b *Inbox) Wake() <-chan struct{} { return b.wake }

// Pending returns the number of waiting changes and the time of the first; 0
// before the first listing is complete.
func (b *Inbox) Pending() (int, time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.complete {
		return 0, time.Time{}
	}
	return b.count, b.since
}

// Batch is a collection of changes.
type Batch struct {
	Update compiler.Update // the changes, each object once
	// Count is the number of changes, Since the time of the first.
	Count int
	Since time.Time // the zero time if Count is 0
	// Triggers are the times when the causes of changes happened, if objects tell.
	Triggers []time.Time
}

// Set returns a first batch as a whole.
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

// Take returns and clears the collected changes; ok is false before the
// first listing is complete.
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
	out.Update.Others, out.Update.LocalAddresses, out.Update.Domains = b.others.take(), b.addresses, b.domains
	b.reset()
	return out, true
}

// sourced gives an object the place of another.
func sourced[T metav1.Object](object T, at objects.Sourced[metav1.Object]) objects.Sourced[T] {
	return objects.Sourced[T]{Object: object, File: at.File, Line: at.Line}
}
