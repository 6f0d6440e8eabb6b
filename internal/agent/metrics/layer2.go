package metrics

import "github.com/prometheus/client_golang/prometheus"

// Layer2 are the metrics of addresses that a node answers for on layer 2.
type Layer2 struct {
	addresses *prometheus.GaugeVec
	took      prometheus.Counter
	answers   *prometheus.CounterVec
}

// Layer2 registers these metrics.
func (m *Metrics) Layer2() *Layer2 {
	l := &Layer2{
		addresses: gauges("planec_layer2_addresses", "Addresses of Services by state: held, which this node answers for on layer 2, or candidate, which it may answer for", "state"),
		took:      prometheus.NewCounter(prometheus.CounterOpts{Name: "planec_layer2_takeovers_total", Help: "Addresses that this node began to answer for on layer 2"}),
		answers:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "planec_layer2_answers_total", Help: "Answers to ARP requests and neighbour solicitations by interface"}, []string{"interface"}),
	}
	m.Registry.MustRegister(l.addresses, l.took, l.answers)
	return l
}

// Announced sets how many addresses this node answers for, and may answer for.
func (l *Layer2) Announced(held, candidates int) {
	l.addresses.WithLabelValues("held").Set(float64(held))
	l.addresses.WithLabelValues("candidate").Set(float64(candidates))
}

// Took counts an address.
func (l *Layer2) Took() { l.took.Inc() }

// Answered counts an answer.
func (l *Layer2) Answered(link string) { l.answers.WithLabelValues(link).Inc() }
