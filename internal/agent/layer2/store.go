package layer2

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// ClaimLabel is on the Leases that are claims, with the value "claim".
const ClaimLabel = "planec.io/layer2"

// Leases keeps records in Lease objects of a namespace.
type Leases struct {
	namespace string
	client    coordination.LeaseInterface
	claims    cache.Store
	watch     *cache.Reflector
	timeout   time.Duration
}

var _ Store = (*Leases)(nil)

// NewLeases returns a store. Its requests end after the timeout: an answer that is too late is
// of no use. [Leases.Run] must run.
func NewLeases(config *rest.Config, namespace string, timeout time.Duration) (*Leases, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = -1, 0 // a queue would let the own Lease lapse
	client, err := coordination.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	list := cache.NewFilteredListWatchFromClient(client.RESTClient(), "leases", namespace, func(o *metav1.ListOptions) { o.LabelSelector = ClaimLabel + "=claim" })
	l := &Leases{namespace: namespace, client: client.Leases(namespace), claims: cache.NewStore(cache.MetaNamespaceKeyFunc), timeout: timeout}
	l.watch = cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(list, client.RESTClient()), &coordinationv1.Lease{}, l.claims, cache.ReflectorOptions{Name: "leases"})
	return l, nil
}

// Run follows the claims until ctx ends.
func (l *Leases) Run(ctx context.Context) { l.watch.RunWithContext(ctx) }

// Listed reports whether the claims were listed.
func (l *Leases) Listed() bool { return l.watch.LastSyncResourceVersion() != "" }

// Get implements [Store].
func (l *Leases) Get(ctx context.Context, name string) (Record, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	o, err := l.client.Get(ctx, name, metav1.GetOptions{})
	if errors.IsNotFound(err) {
		return Record{}, nil
	}
	if err != nil {
		return Record{}, err
	}
	return recordOf(o), nil
}

// Put implements [Store].
func (l *Leases) Put(ctx context.Context, name string, r Record) (Record, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	o := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.namespace, ResourceVersion: r.Version, Labels: map[string]string{ClaimLabel: kindOf(name)}},
		// What is renewed has another content each time.
		Spec: coordinationv1.LeaseSpec{RenewTime: new(metav1.NowMicro())},
	}
	if r.Holder != "" {
		o.Spec.HolderIdentity = new(r.Holder)
	}
	var err error
	if r.Version == "" {
		o, err = l.client.Create(ctx, o, metav1.CreateOptions{})
	} else {
		o, err = l.client.Update(ctx, o, metav1.UpdateOptions{})
	}
	if errors.IsConflict(err) || errors.IsAlreadyExists(err) || errors.IsNotFound(err) && r.Version != "" {
		return Record{}, ErrConflict
	}
	if err != nil {
		return Record{}, err
	}
	return recordOf(o), nil
}

// Claim implements [Store].
func (l *Leases) Claim(name string) Record {
	o, there, err := l.claims.GetByKey(l.namespace + "/" + name)
	if err != nil || !there {
		return Record{}
	}
	return recordOf(o.(*coordinationv1.Lease))
}

// Claims implements [Store].
func (l *Leases) Claims(node string) map[string]Record {
	out := make(map[string]Record)
	for _, o := range l.claims.List() {
		lease := o.(*coordinationv1.Lease)
		if r := recordOf(lease); r.Holder == node {
			out[lease.Name] = r
		}
	}
	return out
}

func recordOf(o *coordinationv1.Lease) Record {
	r := Record{Version: o.ResourceVersion}
	if o.Spec.HolderIdentity != nil {
		r.Holder = *o.Spec.HolderIdentity
	}
	return r
}
