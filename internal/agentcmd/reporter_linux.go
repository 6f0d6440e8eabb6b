package agentcmd

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/agent"
	"github.com/planec/planec/internal/apisource"
	"github.com/planec/planec/internal/manifest"
	"github.com/planec/planec/internal/proxyhealth"
	"github.com/planec/planec/internal/proxymetrics"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// healthTimeout is how old a change may be before the proxy is unhealthy:
// kube-proxy's two syncPeriods.
const healthTimeout = time.Minute

// reporter passes on what the agent does: to metrics, health checks, events and
// the service manager.
type reporter struct {
	firewall firewallWatch
	log      *slog.Logger
	node     string
	backend  string
	fromFile bool
	metrics  *proxymetrics.Metrics
	status   *proxyhealth.Status
	services proxyhealth.Services
	events   *apisource.Events
	memory   *memory

	// checks and own change in different goroutines.
	mu     sync.Mutex
	checks []ir.HealthCheck
	scope  ir.NodePortScope
	own    []netip.Addr
	ready  bool
	// found is what there is to say about objects, and read about their source.
	found, read diag.List
}

var _ agent.Observer = (*reporter)(nil)

func newReporter(s *service, events *apisource.Events) *reporter {
	r := &reporter{
		log: s.log, node: s.options.node, backend: s.backend.Name(), fromFile: s.options.manifestDir != "",
		metrics: proxymetrics.New(), status: proxyhealth.NewStatus(healthTimeout, time.Now), events: events, memory: limitMemory(),
	}
	r.firewall = firewallWatch{backend: r.backend, log: r.log}
	r.metrics.Waiting(s.inbox.Waiting)
	r.services.Healthy = r.status.Healthy
	r.services.Failed = func(c ir.HealthCheck, err error) {
		r.log.Warn("a health check's port cannot be served", "error", err)
		if r.events != nil {
			r.events.Warn(ir.Origin{Kind: "Service", Namespace: c.Namespace, Name: c.Name}, "FailedToStartServiceHealthcheck", "Listen", err.Error())
		}
	}
	return r
}

func (r *reporter) close() { r.services.Close() }

// Queued implements [agent.Observer].
func (r *reporter) Queued(_ int, since time.Time) {
	r.status.Queued(since)
	r.metrics.Queued(time.Now())
}

// Applied implements [agent.Observer].
func (r *reporter) Applied(round agent.Round) {
	r.status.Updated()
	r.metrics.Synced(proxymetrics.Sync{
		At: time.Now(), Took: round.Took, Waited: round.Waited, Services: round.Services, Slices: round.Slices,
		Steps: round.Steps, Whole: round.Whole, Triggers: round.Triggers,
	})
	r.memory.applied(time.Now())
	if !r.ready {
		r.ready = true
		notify(ready)
	}
}

// Failed implements [agent.Observer].
func (r *reporter) Failed(err error) {
	r.metrics.Failed(r.backend)
	r.status.Failed(err)
}

// Drifted implements [agent.Observer].
func (r *reporter) Drifted(steps []string) { r.metrics.Drifted(len(steps)) }

// Verified implements [agent.Observer].
func (r *reporter) Verified(took time.Duration) {
	r.metrics.Verified(took)
	r.status.Failed(nil)
}

// Diagnosed implements [agent.Observer].
func (r *reporter) Diagnosed(all diag.List) {
	r.mu.Lock()
	had := r.found
	r.found = all
	r.metrics.Diagnosed(append(slices.Clone(r.found), r.read...))
	r.mu.Unlock()
	if r.events != nil {
		r.events.Diagnosed(all)
	}
	r.log.Info("the findings about objects changed", "errors", all.Count(diag.Error), "warnings", all.Count(diag.Warning))
	r.logNew("objects", serious(had), serious(all))
}

// serious leaves out notes: a cluster has many, and they ask for nothing.
func serious(all diag.List) diag.List {
	return slices.DeleteFunc(slices.Clone(all), func(d diag.Diagnostic) bool { return d.Severity() == diag.Info })
}

// mostLines bounds how many findings are logged at once.
const mostLines = 100

// sourced takes everything there is to say about where objects come from; what is
// new is logged.
func (r *reporter) sourced(all diag.List) {
	r.mu.Lock()
	had := r.read
	r.read = all
	r.metrics.Diagnosed(append(slices.Clone(r.found), r.read...))
	r.mu.Unlock()
	r.logNew("reading objects", had, all)
	var unread []string
	for _, d := range all {
		if d.Code == diag.UnreadFile || d.Code == diag.OpenFile || d.Code == diag.UnreadKind {
			unread = append(unread, d.String())
		}
	}
	r.metrics.Unread(len(unread))
	r.status.SetUnread(unread)
}

// logNew logs those findings that were not there before: in file mode there are no
// Events, and the log is the only place that names an object.
func (r *reporter) logNew(about string, had, all diag.List) {
	known := make(map[diag.Diagnostic]bool, len(had))
	for _, d := range had {
		known[d] = true
	}
	fresh := 0
	for _, d := range all {
		if known[d] {
			continue
		}
		if fresh++; fresh <= mostLines {
			r.log.Log(context.Background(), level(d.Severity()), about+": "+d.String())
		}
	}
	if fresh > mostLines {
		r.log.Warn(about+": not all findings are logged; planec lint prints all", "unlogged", fresh-mostLines)
	}
}

// GivenUp implements [agent.Observer].
func (r *reporter) GivenUp(n int) {
	r.status.SetGivenUp(n)
	r.metrics.GivenUp(n)
}

// Nodes implements [agent.Observer]: without an API server a node without an
// object is there all the same.
func (r *reporter) Nodes(nodes []objects.Sourced[*corev1.Node]) {
	eligible := r.fromFile
	for _, n := range nodes {
		if n.Object.Name == r.node {
			eligible = n.Object.DeletionTimestamp.IsZero()
			for _, t := range n.Object.Spec.Taints {
				eligible = eligible && t.Key != manifest.TaintLeaving
			}
		}
	}
	r.status.SetEligible(eligible)
}

// Checks implements [agent.Observer].
func (r *reporter) Checks(checks []ir.HealthCheck, scope ir.NodePortScope) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.firewall.look(checks)
	r.checks, r.scope = checks, scope
	r.services.Set(r.checks, r.scope, r.own)
}

// addresses says which addresses the node has now.
func (r *reporter) addresses(own []netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own = own
	r.services.Set(r.checks, r.scope, r.own)
}

// NoLocal implements [agent.Observer].
func (r *reporter) NoLocal(internal, external int) { r.metrics.NoLocal(internal, external) }

// FlowsEnded implements [agent.Observer].
func (r *reporter) FlowsEnded(n int, took time.Duration) { r.metrics.FlowsEnded(n, took) }
