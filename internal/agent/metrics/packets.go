package metrics

import "github.com/prometheus/client_golang/prometheus"

// Packets is how many packets of a direction got a verdict.
type Packets struct {
	Direction, Verdict string
	Count              uint64
}

// CountPackets adds what programs count at the interfaces of pods. It is read whenever the
// metrics are.
func (m *Metrics) CountPackets(read func() ([]Packets, error)) {
	m.Registry.MustRegister(&packets{read: read, desc: prometheus.NewDesc("planec_policy_packets_total",
		"Packets at the interfaces of pods that policies denied, or that could not be judged as part of a connection", []string{"direction", "verdict"}, nil)})
}

type packets struct {
	read func() ([]Packets, error)
	desc *prometheus.Desc
}

// Describe implements [prometheus.Collector].
func (p *packets) Describe(to chan<- *prometheus.Desc) { to <- p.desc }

// Collect implements [prometheus.Collector]. Counters that cannot be read are left out.
func (p *packets) Collect(to chan<- prometheus.Metric) {
	list, err := p.read()
	if err != nil {
		return
	}
	for _, c := range list {
		to <- prometheus.MustNewConstMetric(p.desc, prometheus.CounterValue, float64(c.Count), c.Direction, c.Verdict)
	}
}
