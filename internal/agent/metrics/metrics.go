// Package metrics has the metrics of a service proxy: kube-proxy's metrics that
// dashboards use, under the same names (pkg/proxy/metrics of Kubernetes 1.37), and
// planec's own. kube-proxy measures each family separately; here both families
// change together, so both labels have the same values.
package metrics

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/planec/planec/ir/diag"
)

// Metrics are the metrics of one proxy.
type Metrics struct {
	Registry *prometheus.Registry // for an HTTP handler
	proxy    proxy
	own      own
	said     map[diag.Code]bool
}

// families are the label values of kube-proxy.
var families = []string{"IPv4", "IPv6"}

// New registers all metrics of a proxy with this backend, with value zero.
func New(backend string) *Metrics {
	m := &Metrics{Registry: prometheus.NewRegistry(), said: make(map[diag.Code]bool)}
	m.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.proxy, m.own = newProxy(m.Registry), newOwn(m.Registry, backend)
	return m
}

// Queued records that changes of Services and slices are waiting.
func (m *Metrics) Queued(at time.Time) {
	for _, f := range families {
		m.proxy.lastQueued.WithLabelValues(f).Set(seconds(at))
	}
}

// Sync is one change of the kernel.
type Sync struct {
	At               time.Time     // when the change was completed
	Took, Waited     time.Duration // the duration of the change, and how long its first cause waited
	Services, Slices int           // the numbers of changed objects
	Steps            int           // the number of steps of the plan
	Whole            bool          // whether everything was applied instead of a delta
	// Triggers are the times of the causes of the change.
	Triggers []time.Time
}

// Synced counts a change of the kernel.
func (m *Metrics) Synced(s Sync) {
	kind := m.proxy.partial
	way := "short"
	if s.Whole {
		kind, way = m.proxy.full, "whole"
	}
	for _, f := range families {
		m.proxy.sync.WithLabelValues(f).Observe(s.Took.Seconds())
		kind.WithLabelValues(f).Observe(s.Took.Seconds())
		m.proxy.last.WithLabelValues(f).Set(seconds(s.At))
		for _, t := range s.Triggers {
			m.proxy.programming.WithLabelValues(f).Observe(max(s.At.Sub(t), 0).Seconds())
		}
	}
	m.proxy.serviceChanges.Add(float64(s.Services))
	m.proxy.endpointChanges.Add(float64(s.Slices))
	m.own.apply.WithLabelValues(way).Observe(s.Took.Seconds())
	m.own.waited.Observe(s.Waited.Seconds())
	m.own.steps.Add(float64(s.Steps))
}

// Failed counts an apply that failed.
func (m *Metrics) Failed(backend string) {
	m.own.failures.Inc()
	failures := m.proxy.nftablesFailures
	if backend != "nftables" {
		failures = m.proxy.iptablesFailures
	}
	for _, f := range families {
		failures.WithLabelValues(f).Inc()
	}
}

// Drifted counts changes of rules by other programs.
func (m *Metrics) Drifted(steps int) {
	m.own.drift.Inc()
	m.own.driftSteps.Add(float64(steps))
}

// Verified records a comparison that found no difference.
func (m *Metrics) Verified(took time.Duration) { m.own.verify.Observe(took.Seconds()) }

// Diagnosed sets the number of findings of each code.
func (m *Metrics) Diagnosed(diags diag.List) {
	counts := make(map[diag.Code]int)
	for _, d := range diags {
		counts[d.Code]++
		m.said[d.Code] = true
	}
	for _, code := range slices.Sorted(maps.Keys(m.said)) {
		m.own.diagnostics.WithLabelValues(string(code), code.Info().Severity.String()).Set(float64(counts[code]))
	}
}

// Unread sets the number of parts of the objects' source that cannot be read.
func (m *Metrics) Unread(n int) { m.own.unread.Set(float64(n)) }

// GivenUp sets the number of objects that cannot be enforced and are refused or
// closed.
func (m *Metrics) GivenUp(n int) { m.own.givenUp.Set(float64(n)) }

// NoLocal sets the number of Services that drop because no endpoint is local.
func (m *Metrics) NoLocal(internal, external int) {
	for _, f := range families {
		m.proxy.noLocal.WithLabelValues("internal", f).Set(float64(internal))
		m.proxy.noLocal.WithLabelValues("external", f).Set(float64(external))
	}
}

// FlowsEnded counts connections that were removed from connection tracking.
func (m *Metrics) FlowsEnded(n int, took time.Duration) {
	for _, f := range families {
		m.proxy.conntrack.WithLabelValues(f).Observe(took.Seconds())
	}
	m.proxy.conntrackDeleted.WithLabelValues(families[0]).Add(float64(n))
}

// LoopbackListeners counts listeners on loopback nodePorts of a family ("IPv4" or
// "IPv6") that were opened (1) or closed (-1).
func (m *Metrics) LoopbackListeners(family string, change int) {
	m.proxy.loopbackListeners.WithLabelValues(family).Add(float64(change))
}

// LoopbackFailed counts a listener on a loopback nodePort that could not be opened.
func (m *Metrics) LoopbackFailed(family string) {
	m.proxy.loopbackFailures.WithLabelValues(family).Inc()
}

// Healthz counts answers of /healthz by status code.
func (m *Metrics) Healthz(code string) { m.proxy.healthz.WithLabelValues(code).Inc() }

// Livez counts answers of /livez by status code.
func (m *Metrics) Livez(code string) { m.proxy.livez.WithLabelValues(code).Inc() }

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// Waiting registers the function that returns the numbers of waiting Services and slices.
func (m *Metrics) Waiting(waiting func() (services, slices int)) {
	for _, g := range []struct {
		name, help string
		value      func() float64
	}{
		{"sync_proxy_rules_service_changes_pending", "Pending proxy rules Service changes", func() float64 { n, _ := waiting(); return float64(n) }},
		{"sync_proxy_rules_endpoint_changes_pending", "Pending proxy rules Endpoint changes", func() float64 { _, n := waiting(); return float64(n) }},
	} {
		m.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Subsystem: subsystem, Name: g.name, Help: g.help}, g.value))
	}
}
