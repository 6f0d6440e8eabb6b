package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// proxy are kube-proxy's metrics, without those that depend on its implementation,
// such as the numbers of iptables rules.
type proxy struct {
	sync, full, partial             *prometheus.HistogramVec
	last, lastQueued                *prometheus.GaugeVec
	programming                     *prometheus.HistogramVec
	serviceChanges, endpointChanges prometheus.Counter
	nftablesFailures                *prometheus.CounterVec
	iptablesFailures                *prometheus.CounterVec
	noLocal                         *prometheus.GaugeVec
	healthz, livez                  *prometheus.CounterVec
	conntrack                       *prometheus.HistogramVec
	conntrackDeleted                *prometheus.CounterVec
	loopbackListeners               *prometheus.GaugeVec
	loopbackFailures                *prometheus.CounterVec
}

const subsystem = "kubeproxy"

func newProxy(r *prometheus.Registry) proxy {
	f := factory{registry: r, subsystem: subsystem}
	const family = "ip_family"
	p := proxy{
		sync:             f.histogram("sync_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds", latency(), family),
		full:             f.histogram("sync_full_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds for full resyncs", latency(), family),
		partial:          f.histogram("sync_partial_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds for partial resyncs", latency(), family),
		last:             f.gauge("sync_proxy_rules_last_timestamp_seconds", "The last time proxy rules were successfully synced", family),
		lastQueued:       f.gauge("sync_proxy_rules_last_queued_timestamp_seconds", "The last time a sync of proxy rules was queued", family),
		programming:      f.histogram("network_programming_duration_seconds", "In Cluster Network Programming Latency in seconds", programming(), family),
		serviceChanges:   f.counter("sync_proxy_rules_service_changes_total", "Cumulative proxy rules Service changes"),
		endpointChanges:  f.counter("sync_proxy_rules_endpoint_changes_total", "Cumulative proxy rules Endpoint changes"),
		nftablesFailures: f.counters("sync_proxy_rules_nftables_sync_failures_total", "Cumulative proxy nftables sync failures", family),
		iptablesFailures: f.counters("sync_proxy_rules_iptables_restore_failures_total", "Cumulative proxy iptables restore failures", family),
		noLocal:          f.gauge("sync_proxy_rules_no_local_endpoints_total", "Number of services with a Local traffic policy and no endpoints", "traffic_policy", family),
		healthz:          f.counters("proxy_healthz_total", "Cumulative proxy healthz HTTP status", "code"),
		livez:            f.counters("proxy_livez_total", "Cumulative proxy livez HTTP status", "code"),
		conntrack:        f.histogram("conntrack_reconciler_sync_duration_seconds", "ReconcileConntrackFlowsLatency latency in seconds", latency(), family),
		conntrackDeleted: f.counters("conntrack_reconciler_deleted_entries_total", "Cumulative conntrack flows deleted by conntrack reconciler", family),

		loopbackListeners: f.gauge("nftables_localhost_nodeport_listeners", "Number of active localhost NodePort userspace proxy listeners", family),
		loopbackFailures:  f.counters("nftables_localhost_nodeport_listener_creation_failures_total", "Number of times creating a localhost NodePort userspace proxy listener failed", family),
	}
	for _, name := range families {
		for _, h := range []*prometheus.HistogramVec{p.sync, p.full, p.partial, p.programming, p.conntrack} {
			h.WithLabelValues(name)
		}
		p.nftablesFailures.WithLabelValues(name)
		p.iptablesFailures.WithLabelValues(name)
		p.noLocal.WithLabelValues("internal", name)
		p.noLocal.WithLabelValues("external", name)
		p.conntrackDeleted.WithLabelValues(name)
		p.loopbackListeners.WithLabelValues(name)
		p.loopbackFailures.WithLabelValues(name)
	}
	return p
}

func latency() []float64 { return prometheus.ExponentialBuckets(0.001, 2, 15) }

// programming returns kube-proxy's buckets and finer ones below them: kube-proxy
// waits for a second between two syncs, planec does not.
func programming() []float64 {
	return slices.Concat(
		[]float64{0.005, 0.01, 0.025, 0.05, 0.1},
		prometheus.LinearBuckets(0.25, 0.25, 2), prometheus.LinearBuckets(1, 1, 59),
		prometheus.LinearBuckets(60, 5, 12), prometheus.LinearBuckets(120, 30, 7),
	)
}

// factory creates registered metrics.
type factory struct {
	registry  *prometheus.Registry
	subsystem string
}

func registered[C prometheus.Collector](f factory, c C) C {
	f.registry.MustRegister(c)
	return c
}

func (f factory) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return registered(f, prometheus.NewHistogramVec(prometheus.HistogramOpts{Subsystem: f.subsystem, Name: name, Help: help, Buckets: buckets}, labels))
}

func (f factory) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return registered(f, prometheus.NewGaugeVec(prometheus.GaugeOpts{Subsystem: f.subsystem, Name: name, Help: help}, labels))
}

func (f factory) counters(name, help string, labels ...string) *prometheus.CounterVec {
	return registered(f, prometheus.NewCounterVec(prometheus.CounterOpts{Subsystem: f.subsystem, Name: name, Help: help}, labels))
}

func (f factory) counter(name, help string) prometheus.Counter {
	return registered(f, prometheus.NewCounter(prometheus.CounterOpts{Subsystem: f.subsystem, Name: name, Help: help}))
}
