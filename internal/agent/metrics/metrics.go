// Package metrics are a service proxy's metrics: those of kube-proxy that
// dashboards use, under their names (pkg/proxy/metrics of Kubernetes 1.37), and
// planec's own. kube-proxy measures its two families apart; here both change
// together, so both labels get the same values.
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
	Registry *prometheus.Registry // what an HTTP handler serves
	proxy    proxy
	own      own
	said     map[diag.Code]bool
}

// families are kube-proxy's label values.
var families = []string{"IPv4", "IPv6"}

// New registers every metric of a proxy with this backend, at zero.
func New(backend string) *Metrics {
	m := &Metrics{Registry: prometheus.NewRegistry(), said: make(map[diag.Code]bool)}
	m.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.proxy, m.own = newProxy(m.Registry), newOwn(m.Registry, backend)
	return m
}

// Queued says that changes of so many Services and slices wait.
func (m *Metrics) Queued(at time.Time) {
	for _, f := range families {
		m.proxy.lastQueued.WithLabelValues(f).Set(seconds(at))
	}
}

// Sync is one change of the kernel.
type Sync struct {
	At               time.Time     // when it was done
	Took, Waited     time.Duration // the time that it took, and how long the first change waited for it
	Services, Slices int           // how many objects changed
	Steps            int           // how many steps the plan had
	Whole            bool          // whether everything was applied, and not a change
	// Triggers are when what caused it happened.
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

// Drifted counts what other programs had changed.
func (m *Metrics) Drifted(steps int) {
	m.own.drift.Inc()
	m.own.driftSteps.Add(float64(steps))
}

// Verified counts a comparison that found nothing.
func (m *Metrics) Verified(took time.Duration) { m.own.verify.Observe(took.Seconds()) }

// Diagnosed sets how many findings there are of each code.
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

// Unread sets how many parts of the objects' source cannot be read now.
func (m *Metrics) Unread(n int) { m.own.unread.Set(float64(n)) }

// GivenUp sets how many objects are refused or closed because they cannot be
// enforced.
func (m *Metrics) GivenUp(n int) { m.own.givenUp.Set(float64(n)) }

// NoLocal sets how many Services drop for want of a local endpoint.
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
// "IPv6") that opened (1) or closed (-1).
func (m *Metrics) LoopbackListeners(family string, change int) {
	m.proxy.loopbackListeners.WithLabelValues(family).Add(float64(change))
}

// LoopbackFailed counts a listener on a loopback nodePort that could not be opened.
func (m *Metrics) LoopbackFailed(family string) {
	m.proxy.loopbackFailures.WithLabelValues(family).Inc()
}

// Healthz counts answers of /healthz, and Livez those of /livez.
func (m *Metrics) Healthz(code string) { m.proxy.healthz.WithLabelValues(code).Inc() }

// Livez counts answers of /livez.
func (m *Metrics) Livez(code string) { m.proxy.livez.WithLabelValues(code).Inc() }

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// Waiting registers how many Services and slices have changed and wait.
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
