package cmd

import (
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/agent/health"
	"github.com/planec/planec/internal/agent/localport"
	"github.com/planec/planec/internal/agent/loop"
	"github.com/planec/planec/internal/agent/metrics"
	"github.com/planec/planec/internal/input/apisource"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// healthTimeout is the age of a waiting change that makes the proxy unhealthy:
// kube-proxy's two syncPeriods.
const healthTimeout = time.Minute

// reporter forwards the agent's events to metrics, health checks, Events and the
// service manager.
type reporter struct {
	firewall firewallWatch
	log      *slog.Logger
	node     string
	backend  string
	fromFile bool
	metrics  *metrics.Metrics
	status   *health.Status
	services health.Services
	loopback *localport.Forwarder
	events   *apisource.Events
	memory   *memory

	findings *findings
	progress progress

	// Different goroutines change checks and own.
	mu     sync.Mutex
	checks []ir.HealthCheck
	scope  ir.NodePortScope
	own    []netip.Addr
	ready  bool
}

var _ loop.Observer = (*reporter)(nil)

func newReporter(s *service, events *apisource.Events) *reporter {
	r := &reporter{
		log: s.log, node: s.options.node, backend: s.backend.Name(), fromFile: s.options.manifestDir != "",
		metrics: metrics.New(s.backend.Name()), status: health.NewStatus(healthTimeout, time.Now), events: events, memory: limitMemory(),
	}
	r.firewall = firewallWatch{backend: r.backend, log: r.log}
	r.metrics.Waiting(s.inbox.Waiting)
	r.services.Healthy = r.status.Healthy
	r.findings = newFindings(s.log, r.metrics)
	r.services.Said = func(c ir.HealthCheck, at string, err error) {
		service := ir.Origin{Kind: "Service", Namespace: c.Namespace, Name: c.Name}
		r.unserved("the health check port", at, service, err)
		if err != nil && r.events != nil {
			r.events.Warn(service, "FailedToStartServiceHealthcheck", "Listen", err.Error())
		}
	}
	r.loopback = r.loopbackForwarder()
	return r
}

func (r *reporter) close() {
	r.services.Close()
	r.loopback.Close()
}

// Queued implements [loop.Observer].
func (r *reporter) Queued(_ int, since time.Time) {
	r.status.Queued(since)
	r.metrics.Queued(time.Now())
}

// Applied implements [loop.Observer].
func (r *reporter) Applied(round loop.Round) {
	r.status.Updated()
	r.progress.do(func(p *progress) {
		p.failure = ""
		if round.Whole {
			p.compared = time.Now()
		}
		if round.Steps > 0 {
			p.changed = time.Now()
		}
	})
	r.metrics.Synced(metrics.Sync{
		At: time.Now(), Took: round.Took, Waited: round.Waited, Services: round.Services, Slices: round.Slices,
		Steps: round.Steps, Whole: round.Whole, Triggers: round.Triggers,
	})
	r.memory.applied(time.Now())
	if !r.ready {
		r.ready = true
		notify(ready)
	}
}

// Failed implements [loop.Observer].
func (r *reporter) Failed(err error) {
	r.metrics.Failed(r.backend)
	r.status.Failed(err)
	r.progress.do(func(p *progress) { p.failure = err.Error() })
}

// Drifted implements [loop.Observer].
func (r *reporter) Drifted(steps []string) {
	r.metrics.Drifted(len(steps))
	r.progress.drifted(steps, time.Now().UTC())
}

// Verified implements [loop.Observer].
func (r *reporter) Verified(took time.Duration) {
	r.metrics.Verified(took)
	r.status.Failed(nil)
	r.progress.do(func(p *progress) { p.failure, p.compared = "", time.Now() })
}

// Diagnosed implements [loop.Observer].
func (r *reporter) Diagnosed(all diag.List) {
	if r.events != nil {
		r.events.Diagnosed(all)
	}
	r.log.Info("the findings about objects changed", "errors", all.Count(diag.Error), "warnings", all.Count(diag.Warning))
	r.findings.set(aboutObjects, all)
}

// sourced replaces the findings about the objects' source.
func (r *reporter) sourced(all diag.List) {
	r.findings.set(aboutReading, all)
	var unread []string
	for _, d := range all {
		if d.Code == diag.UnreadFile || d.Code == diag.OpenFile || d.Code == diag.UnreadKind {
			unread = append(unread, d.String())
		}
	}
	r.metrics.Unread(len(unread))
	r.status.SetUnread(unread)
}

// unserved records why a place cannot be opened; nil means that it is open or no
// longer wanted. origin is the object that the place serves.
func (r *reporter) unserved(what, at string, origin ir.Origin, err error) {
	about := what + " at " + at + ": "
	had := false
	r.findings.change(aboutServers, func(list diag.List) diag.List {
		list = slices.DeleteFunc(list, func(d diag.Diagnostic) bool {
			is := strings.HasPrefix(d.Message, about)
			had = had || is
			return is
		})
		if err != nil {
			list.Add(diag.Unserved, origin, about+err.Error())
		}
		return list
	})
	if err == nil && had {
		r.log.Info("the address is served again, or is no longer needed", "what", what, "address", at)
	}
}

// GivenUp implements [loop.Observer].
func (r *reporter) GivenUp(n int) {
	r.status.SetGivenUp(n)
	r.progress.do(func(p *progress) { p.givenUp = n })
	r.metrics.GivenUp(n)
}

// Nodes implements [loop.Observer]. Without an API server, a node counts as
// existing even without an object.
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

// Checks implements [loop.Observer].
func (r *reporter) Checks(checks []ir.HealthCheck, scope ir.NodePortScope) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.firewall.look(checks)
	r.checks, r.scope = checks, scope
	r.services.Set(r.checks, r.scope, r.own)
}

// addresses sets the node's current addresses.
func (r *reporter) addresses(own []netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own = own
	r.services.Set(r.checks, r.scope, r.own)
}

// Serves implements [loop.Observer].
func (r *reporter) Serves(services, policies int) {
	r.progress.do(func(p *progress) { p.services, p.policies = services, policies })
}

// NoLocal implements [loop.Observer].
func (r *reporter) NoLocal(internal, external int) { r.metrics.NoLocal(internal, external) }

// FlowsEnded implements [loop.Observer].
func (r *reporter) FlowsEnded(n int, took time.Duration) { r.metrics.FlowsEnded(n, took) }
