package apisource

import (
	"context"
	stderrors "errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/discovery"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

// Options select what is watched, and from which server.
type Options struct {
	// Config has the address and the credentials for the API server.
	Config *rest.Config
	// Node is the node's name.
	Node string
	// Policies also watches policies and the objects that they select.
	Policies bool
	// Addresses watches, instead of all that, what decides about addresses of Services of type
	// LoadBalancer: these, namespaces and pools. Services keep their UID and resource version, so
	// that their status can be written.
	Addresses bool
	// Layer2 watches, instead of all that, what decides about addresses that nodes answer for on
	// layer 2.
	Layer2 bool
	// BGP watches, instead of all that, what decides about what nodes announce by BGP.
	BGP bool
	// Imports also watches ServiceImports.
	Imports bool
	// AllNodes also watches the other Nodes, as Policies does.
	AllNodes bool
	// Log receives errors of requests.
	Log *slog.Logger
	// Report receives a [diag.UnreadKind] for every kind that the API server does
	// not list now, at every change; calls are sequential. It may be nil.
	Report func(diag.List)
}

// Source watches the objects that concern one node.
type Source struct {
	Options
	clients   *clients
	discovery *discovery.DiscoveryClient
	watched   []*watched
	unread    unread
}

// New returns a source without a request to the API server.
func New(o Options) (*Source, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	s := &Source{Options: o, clients: newClients(o.Config, scheme), unread: unread{report: o.Report, kinds: make(map[string]*failing)}}
	if s.discovery, err = discovery.NewDiscoveryClientForConfig(o.Config); err != nil {
		return nil, fmt.Errorf("API server: %w", err)
	}
	finisher := manifest.NewFinisher()
	all := kinds(o.Node, o.Policies, o.AllNodes)
	if o.Imports {
		all = withImports(all)
	}
	if o.Addresses {
		all = addressKinds()
	}
	if o.Layer2 {
		all = layer2Kinds()
	}
	if o.BGP {
		all = bgpKinds()
	}
	for _, k := range all {
		var versions []served
		for _, v := range append([]schema.GroupVersion{k.group}, k.older...) {
			client, err := s.clients.of(v)
			if err != nil {
				return nil, fmt.Errorf("API server: %s: %w", k.resource, err)
			}
			versions = append(versions, served{v, client})
		}
		s.watched = append(s.watched, &watched{
			kind: k, versions: versions, client: versions[0].client, discovery: s.discovery, log: o.Log, unread: &s.unread,
			store: &store{finisher: finisher, known: make(map[objects.Name]version), object: k.object, balanced: o.Addresses},
		})
	}
	return s, nil
}

// optionalAgain is the interval of checks for a missing kind, because
// definitions of policies may be installed later. Without any answer from the
// server, checks are more frequent, because nothing is applied before.
const (
	optionalAgain = time.Minute
	silentAgain   = 5 * time.Second
)

// Run feeds the inbox until ctx ends. The inbox is complete once every kind was
// listed; Run waits for an unreachable API server.
func (s *Source) Run(ctx context.Context, b *inbox.Inbox) error {
	var lists, running sync.WaitGroup
	lists.Add(len(s.watched))
	for _, w := range s.watched {
		w.store.inbox, w.store.listed = b, lists.Done
		running.Go(func() { w.run(ctx) })
	}
	go func() {
		lists.Wait()
		b.Complete()
	}()
	running.Wait()
	return nil
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientscheme.AddToScheme, policyv1alpha1.Install, policyv1beta1.Install} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("the kinds of the API: %w", err)
		}
	}
	scheme.AddKnownTypeWithName(clusterPolicyAlpha.WithKind("ClusterNetworkPolicy"), &policyv1beta1.ClusterNetworkPolicy{})
	scheme.AddKnownTypeWithName(clusterPolicyAlpha.WithKind("ClusterNetworkPolicyList"), &policyv1beta1.ClusterNetworkPolicyList{})
	metav1.AddToGroupVersion(scheme, clusterPolicyAlpha)
	calicov3.AddToScheme(scheme, calicoVersion, calicoKept)
	ciliumv2.AddToScheme(scheme, ciliumVersion, ciliumAlpha)
	metallbv1beta1.AddToScheme(scheme, metalLBVersion, metalLBPeerVersion)
	mcs.AddToScheme(scheme, mcsBeta, mcsAlpha)
	return scheme, nil
}

// clients holds one client for each group and version.
type clients struct {
	config *rest.Config
	codecs serializer.CodecFactory
	made   map[schema.GroupVersion]*rest.RESTClient
}

func newClients(c *rest.Config, scheme *runtime.Scheme) *clients {
	return &clients{config: c, codecs: serializer.NewCodecFactory(scheme), made: make(map[schema.GroupVersion]*rest.RESTClient)}
}

func (c *clients) of(group schema.GroupVersion) (*rest.RESTClient, error) {
	if have := c.made[group]; have != nil {
		return have, nil
	}
	config := rest.CopyConfig(c.config)
	config.GroupVersion, config.APIPath = &group, "/apis"
	if group.Group == "" {
		config.APIPath = "/api"
	}
	config.NegotiatedSerializer = c.codecs.WithoutConversion()
	if _, builtin := policyGroups[group.Group]; !builtin {
		// Protobuf takes half the bytes and a tenth of the time of JSON. Custom
		// resources only support JSON.
		config.AcceptContentTypes, config.ContentType = runtime.ContentTypeProtobuf+","+runtime.ContentTypeJSON, runtime.ContentTypeProtobuf
	}
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, err
	}
	c.made[group] = client
	return client, nil
}

// policyGroups are the groups of custom resources.
var policyGroups = map[string]bool{policyv1alpha1.GroupName: true, calicov3.Group: true, calicov3.CRDGroup: true, ciliumv2.Group: true, metallbv1beta1.Group: true}

// served is a version of a kind that a server may have.
type served struct {
	version schema.GroupVersion
	client  *rest.RESTClient
}

// watched is one watched kind.
type watched struct {
	kind kind
	// versions are tried in order; client belongs to the one that the server has.
	versions  []served
	client    *rest.RESTClient
	discovery *discovery.DiscoveryClient
	store     *store
	log       *slog.Logger
	unread    *unread
}

func (w *watched) run(ctx context.Context) {
	for !w.kind.optional || w.wait(ctx) {
		w.follow(ctx)
		// Discovery may still list what the server did not find.
		if !pause(ctx, time.Second) {
			return
		}
	}
}

// follow lists and watches the kind until ctx ends, or until the server no longer has
// the version of an optional kind: it may have another one.
func (w *watched) follow(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lw := cache.NewFilteredListWatchFromClient(w.client, w.kind.resource, metav1.NamespaceAll, func(o *metav1.ListOptions) {
		o.LabelSelector, o.FieldSelector = w.kind.labels, w.kind.fields
	})
	w.tell(lw, stop)
	r := cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(lw, w.client), w.kind.object, w.store, cache.ReflectorOptions{Name: w.kind.title()})
	r.RunWithContext(ctx)
}

// errWithdrawn says that objects of a withdrawn kind are still served. The server
// removes objects before their kind, so the agent has missed that, or the kind comes
// back. In either case the policies stay: opening them would be a guess.
var errWithdrawn = stderrors.New("the API server does not have the kind any more; its objects from before stay")

// wait returns once the server has the kind, and reports whether it does.
// Meanwhile a kind without known objects counts as listed and empty.
func (w *watched) wait(ctx context.Context) bool {
	for again := time.Second; ; again = min(2*again, silentAgain) {
		there, err := w.there()
		if there {
			return true
		}
		if err == nil && w.store.holds() {
			err = errWithdrawn
		}
		if err != nil {
			w.unread.failed(w.kind.title(), err, w.store.wasListed())
		} else if err := w.store.Replace(nil, ""); err != nil {
			w.log.Error("listing nothing", "kind", w.kind.resource, "error", err)
		} else {
			w.unread.worked(w.kind.title())
			again = optionalAgain
		}
		if !pause(ctx, again) {
			return false
		}
	}
}

// pause waits for d and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// there reports whether the server has the kind in any version.
func (w *watched) there() (bool, error) {
	if w.kind.beside != nil {
		if needed, err := w.hasGroup(w.kind.beside); !needed || err != nil {
			return false, err
		}
	}
	for _, v := range w.versions {
		there, err := w.has(v.version)
		if err != nil {
			return false, err
		}
		if there {
			w.client = v.client
			return true, nil
		}
	}
	return false, nil
}

// hasGroup reports whether the server has one of the groups.
func (w *watched) hasGroup(versions []schema.GroupVersion) (bool, error) {
	for _, v := range versions {
		_, err := w.discovery.ServerResourcesForGroupVersion(v.String())
		if err == nil || !errors.IsNotFound(err) {
			return err == nil, err
		}
	}
	return false, nil
}

func (w *watched) has(version schema.GroupVersion) (bool, error) {
	list, err := w.discovery.ServerResourcesForGroupVersion(version.String())
	if errors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == w.kind.resource }), nil
}

// clone returns a new, empty object of the type of o.
func clone(o metav1.Object) metav1.Object {
	return reflect.New(reflect.TypeOf(o).Elem()).Interface().(metav1.Object)
}
