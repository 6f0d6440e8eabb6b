package cilium

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"github.com/cilium/cilium/pkg/crypto/certificatemanager"
	envoypolicy "github.com/cilium/cilium/pkg/envoy/policy"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	"github.com/cilium/cilium/pkg/ipcache"
	"github.com/cilium/cilium/pkg/k8s"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/labelsfilter"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/source"
	testidentity "github.com/cilium/cilium/pkg/testutils/identity"
	testpolicy "github.com/cilium/cilium/pkg/testutils/policy"
	ciliumtypes "github.com/cilium/cilium/pkg/types"
)

// Engine is the policy engine of one node's agent. The identity of the node itself is a
// variable of the engine's packages, so only the engine that was made last may be asked.
type Engine struct {
	cluster *Cluster
	node    string
	repo    *policy.Repository
	ids     *testidentity.MockIdentityAllocator
	ips     *ipcache.IPCache
	pods    map[string]*endpoint // of all nodes, by namespace/name
	cancel  context.CancelFunc
}

// endpoint is a pod with an address of its own.
type endpoint struct {
	id     *identity.Identity
	ports  ciliumtypes.NamedPortMap
	number uint64
	policy *policy.EndpointPolicy // once it was asked for
}

// updater tells both caches of selectors about identities.
type updater struct{ repo *policy.Repository }

// UpdateIdentities implements the interface of the IP cache.
func (u updater) UpdateIdentities(added, deleted identity.IdentityMap) <-chan struct{} {
	u.repo.GetSelectorCache().UpdateIdentities(added, deleted, &sync.WaitGroup{})
	u.repo.UpdateIdentities(added, deleted)
	done := make(chan struct{})
	close(done)
	return done
}

// NewEngine returns the engine of a node with all that its agent knows of the cluster.
func NewEngine(c *Cluster, node string) (*Engine, error) {
	identity.AddReservedIdentityWithLabels(identity.ReservedIdentityHost, labels.NewFrom(labels.LabelHost))
	ctx, cancel := context.WithCancel(context.Background())
	log := quiet()
	repo := policy.NewPolicyRepository(log, identity.ListReservedIdentities(), nil,
		envoypolicy.NewEnvoyL7RulesTranslator(log, certificatemanager.NewMockSecretManagerInline()),
		identitymanager.NewIDManager(log), testpolicy.NewPolicyMetricsNoop())
	e := &Engine{cluster: c, node: node, repo: repo, ids: testidentity.NewMockIdentityAllocator(nil), pods: make(map[string]*endpoint), cancel: cancel}
	e.ips = ipcache.NewIPCache(&ipcache.Configuration{Context: ctx, Logger: log, IdentityAllocator: e.ids, IdentityUpdater: updater{repo}})
	repo.SetNamedPortsGetter(e.ips)
	for _, step := range []func(context.Context) error{e.addPods, e.addPrefixes} {
		if err := step(ctx); err != nil {
			e.Close()
			return nil, fmt.Errorf("node %s: %w", node, err)
		}
	}
	return e, nil
}

// Close ends the engine's goroutines.
func (e *Engine) Close() {
	e.cancel()
	_ = e.ips.Shutdown() // it only says that the controller was not started
}

// addPods gives every pod of the cluster its identity.
func (e *Engine) addPods(ctx context.Context) error {
	number := uint64(1)
	for name, p := range e.cluster.Pods {
		if p.Spec.HostNetwork {
			continue // the node's
		}
		ns := e.cluster.Namespaces[p.Namespace]
		if ns == nil {
			return fmt.Errorf("pod %s: its namespace is missing", name)
		}
		ports, found := k8s.GetPodMetadata(quiet(), ns, p)
		own, _ := labelsfilter.Filter(labels.Map2Labels(found, labels.LabelSourceK8s))
		for _, l := range k8s.NamedPortsIdentityLabels(ports) {
			own[l.Key] = l
		}
		id, _, err := e.ids.AllocateIdentity(ctx, own, false, identity.InvalidIdentity)
		if err != nil {
			return fmt.Errorf("pod %s: %w", name, err)
		}
		updater{e.repo}.UpdateIdentities(identity.IdentityMap{id.ID: id.LabelArray}, nil)
		e.pods[name] = &endpoint{id: id, ports: ports, number: number}
		number++
		for _, ip := range p.Status.PodIPs {
			meta := &ipcache.K8sMetadata{Namespace: p.Namespace, PodName: p.Name, NamedPorts: ports}
			//lint:ignore SA1019 the agent tells of pods by Upsert too (pkg/k8s/watchers)
			if _, err := e.ips.Upsert(ip.IP, nil, 0, meta, ipcache.Identity{ID: id.ID, Source: source.CustomResource}); err != nil {
				return fmt.Errorf("pod %s: %w", name, err)
			}
		}
	}
	return nil
}

// identityOf returns the identity of an address.
func (e *Engine) identityOf(a netip.Addr) identity.NumericIdentity {
	if id, ok := e.ips.LookupSecIDByIP(a); ok {
		return id.ID
	}
	if a.Is4() {
		return identity.ReservedIdentityWorldIPv4
	}
	return identity.ReservedIdentityWorldIPv6
}
