package metrics

import "github.com/prometheus/client_golang/prometheus"

// BGP are the metrics of what a node has FRR announce.
type BGP struct {
	neighbors, routes, runs prometheus.Gauge
	reloads                 *prometheus.CounterVec
	failures                prometheus.Counter
}

// BGP registers these metrics.
func (m *Metrics) BGP() *BGP {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	b := &BGP{
		neighbors: gauge("planec_bgp_neighbors", "Neighbors of this node in frr.conf"),
		routes:    gauge("planec_bgp_routes", "Routes that frr.conf tells neighbors, one for each neighbor"),
		runs:      gauge("planec_bgp_in_sync", "1 while FRR runs the frr.conf of the objects, 0 while it does not"),
		reloads:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "planec_bgp_reloads_total", Help: "Times that FRR was given what it lacked, by cause: change (of objects) or drift (another program changed FRR)"}, []string{"cause"}),
		failures:  prometheus.NewCounter(prometheus.CounterOpts{Name: "planec_bgp_failures_total", Help: "Attempts to write frr.conf, or to have FRR load it, that failed"}),
	}
	m.Registry.MustRegister(b.neighbors, b.routes, b.runs, b.reloads, b.failures)
	return b
}

// Announces sets how many neighbors there are, and routes for all of them.
func (b *BGP) Announces(neighbors, routes int) {
	b.neighbors.Set(float64(neighbors))
	b.routes.Set(float64(routes))
}

// Reloaded counts a reload.
func (b *BGP) Reloaded(cause string) { b.reloads.WithLabelValues(cause).Inc() }

// Runs sets whether FRR runs what it is to run, and counts a failure.
func (b *BGP) Runs(right bool) {
	if right {
		b.runs.Set(1)
		return
	}
	b.runs.Set(0)
	b.failures.Inc()
}
