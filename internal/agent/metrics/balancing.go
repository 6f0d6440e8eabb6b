package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/planec/planec/compiler/ipam"
)

// Balancing are the metrics of addresses that an agent gives to Services of type LoadBalancer.
// All but the one about who leads are there while the agent leads.
type Balancing struct {
	leads                prometheus.Gauge
	addresses, conflicts *prometheus.GaugeVec
	services             *prometheus.GaugeVec
	writes               *prometheus.CounterVec
}

// Balancing registers these metrics.
func (m *Metrics) Balancing() *Balancing {
	b := &Balancing{
		leads:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "planec_lb_ipam_leads", Help: "1 in the agent that gives addresses to Services of type LoadBalancer, 0 in all others"}),
		addresses: gauges("planec_lb_pool_addresses", "Addresses of a pool by state: used or free; what is free stops counting at 2^64", "pool", "family", "state"),
		conflicts: gauges("planec_lb_pool_conflicts", "1 for a pool that overlaps another one or itself and gives nothing new, 0 for others", "pool"),
		services:  gauges("planec_lb_services", "Services of type LoadBalancer by state: allocated, lacking (an address that they want), foreign (their status is another controller's) or other-class", "state"),
		writes:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "planec_lb_status_writes_total", Help: "Writes of the status of Services by outcome: written or failed"}, []string{"outcome"}),
	}
	m.Registry.MustRegister(b.leads, b.addresses, b.conflicts, b.services, b.writes)
	for _, outcome := range []string{"written", "failed"} {
		b.writes.WithLabelValues(outcome)
	}
	return b
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

// Leads sets whether this agent gives addresses.
func (b *Balancing) Leads(leads bool) {
	b.leads.Set(0)
	if leads {
		b.leads.Set(1)
		return
	}
	b.addresses.Reset()
	b.conflicts.Reset()
	b.services.Reset()
}

// Allocated sets what Services and pools have.
func (b *Balancing) Allocated(r *ipam.Result) {
	b.addresses.Reset()
	b.conflicts.Reset()
	for i := range r.Pools {
		p := &r.Pools[i]
		name := p.Name.String()
		for f, family := range families {
			b.addresses.WithLabelValues(name, family, "used").Set(float64(p.Used[f]))
			b.addresses.WithLabelValues(name, family, "free").Set(float64(p.Free[f]))
		}
		conflict := b.conflicts.WithLabelValues(name)
		if p.Conflict != "" {
			conflict.Set(1)
		}
	}
	counts := map[string]int{"allocated": 0, "lacking": 0, "foreign": 0, "other-class": 0}
	for i := range r.Services {
		switch a := &r.Services[i]; {
		case a.Outcome == ipam.Foreign:
			counts["foreign"]++
		case a.Outcome == ipam.OtherClass:
			counts["other-class"]++
		case a.Outcome == ipam.Served && len(a.Findings) > 0:
			counts["lacking"]++
		case a.Outcome == ipam.Served:
			counts["allocated"]++
		}
	}
	for state, n := range counts {
		b.services.WithLabelValues(state).Set(float64(n))
	}
}

// Wrote counts a write.
func (b *Balancing) Wrote(err error) {
	outcome := "written"
	if err != nil {
		outcome = "failed"
	}
	b.writes.WithLabelValues(outcome).Inc()
}
