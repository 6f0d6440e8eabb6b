package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/planec/planec/compiler/objects"
)

// Populate writes the Nodes, Services and EndpointSlices of a set, such as
// clustergen's, to etcd in the API server's format; the server notices and informs
// watches. Through the API each Service takes longer than the last, because the
// server counts all addresses each time (Used in its ipallocator): 10,000 took
// minutes. A Service with the address of default/kubernetes gets [SpareIP] instead.
func (c *Cluster) Populate(ctx context.Context, set objects.Set) error {
	client, err := c.etcdClient()
	if err != nil {
		return err
	}
	defer client.Close()
	w := writer{ctx: ctx, client: client}
	namespaces := make(map[string]bool)
	for _, n := range set.Nodes {
		w.put(corev1.SchemeGroupVersion, "minions/", n.Object.DeepCopy())
	}
	for _, s := range set.Services {
		service := spared(s.Object.DeepCopy())
		namespaces[service.Namespace] = true
		w.put(corev1.SchemeGroupVersion, "services/specs/", service)
		for i, ip := range service.Spec.ClusterIPs {
			w.put(networkingv1.SchemeGroupVersion, "ipaddresses/", allocation(service, ip, service.Spec.IPFamilies[i]))
		}
	}
	for _, s := range set.EndpointSlices {
		w.put(discoveryv1.SchemeGroupVersion, "endpointslices/", s.Object.DeepCopy())
	}
	w.flush()
	if w.err != nil {
		return fmt.Errorf("populate: %w", w.err)
	}
	return c.createNamespaces(ctx, namespaces)
}

// Rewrite writes existing slices to etcd, faster than through the API server: a
// rollout of everything at once. Each slice gets its own revision, as from the
// API server: a client whose watch breaks resumes after the last revision that it
// has seen.
func (c *Cluster) Rewrite(ctx context.Context, slices []*discoveryv1.EndpointSlice) error {
	client, err := c.etcdClient()
	if err != nil {
		return err
	}
	defer client.Close()
	const atOnce = 64
	errs := make([]error, atOnce)
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			w := writer{ctx: ctx, client: client, known: true}
			for n := i; n < len(slices); n += atOnce {
				s := slices[n].DeepCopy()
				s.ResourceVersion = "" // is not stored
				w.put(discoveryv1.SchemeGroupVersion, "endpointslices/", s)
				w.flush()
			}
			errs[i] = w.err
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("rewrite: %w", err)
	}
	return nil
}

func (c *Cluster) createNamespaces(ctx context.Context, names map[string]bool) error {
	for name := range names {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		_, err := c.admin.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create namespace %s: %w", name, err)
		}
	}
	return nil
}

// The first address of a range belongs to the API server's own Service.
const (
	firstIP = "10.96.0.1"
	SpareIP = "10.111.255.254"
)

func spared(s *corev1.Service) *corev1.Service {
	if s.Spec.ClusterIP == firstIP {
		s.Spec.ClusterIP, s.Spec.ClusterIPs = SpareIP, []string{SpareIP}
	}
	return s
}

// allocation records that an address belongs to a Service. The API server would
// otherwise repair missing ones one by one while a test measures something.
func allocation(s *corev1.Service, ip string, family corev1.IPFamily) *networkingv1.IPAddress {
	return &networkingv1.IPAddress{
		ObjectMeta: metav1.ObjectMeta{Name: ip, CreationTimestamp: s.CreationTimestamp, Labels: map[string]string{
			networkingv1.LabelIPAddressFamily: string(family),
			networkingv1.LabelManagedBy:       "ipallocator.k8s.io", // ControllerName of its ipallocator
		}},
		Spec: networkingv1.IPAddressSpec{ParentRef: &networkingv1.ParentReference{
			Resource: "services", Namespace: s.Namespace, Name: s.Name,
		}},
	}
}

// writer writes objects in transactions, until the first error.
type writer struct {
	ctx    context.Context
	client *clientv3.Client
	count  int
	known  bool // whether the objects have their UIDs
	batch  []clientv3.Op
	err    error
}

// most is etcd's --max-txn-ops.
const most = 128

// object is the interface of all kinds.
type object interface {
	runtime.Object
	metav1.Object
}

// put writes an object, which the writer owns, under the key where this version
// of the API server expects it: /registry, the resource, the namespace, the name.
func (w *writer) put(version schema.GroupVersion, resource string, o object) {
	w.count++
	if !w.known {
		o.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012x", w.count)))
	}
	serializer := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	encoded, err := runtime.Encode(scheme.Codecs.EncoderForVersion(serializer, version), o)
	if err != nil {
		w.err = fmt.Errorf("encode %s %s/%s: %w", resource, o.GetNamespace(), o.GetName(), err)
		return
	}
	key := "/registry/" + resource + o.GetName()
	if ns := o.GetNamespace(); ns != "" {
		key = "/registry/" + resource + ns + "/" + o.GetName()
	}
	w.batch = append(w.batch, clientv3.OpPut(key, string(encoded)))
	if len(w.batch) == most {
		w.flush()
	}
}

func (w *writer) flush() {
	if w.err == nil && len(w.batch) > 0 {
		_, w.err = w.client.Txn(w.ctx).Then(w.batch...).Commit()
	}
	w.batch = w.batch[:0]
}
