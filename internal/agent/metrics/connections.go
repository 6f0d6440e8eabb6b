package metrics

import (
	"cmp"
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir"
)

// connections are read from the kernel at each scrape.
type connections struct {
	read func() map[ir.ServicePort]applier.Connections
	desc *prometheus.Desc
}

// Connections registers the function that returns the connections of Service ports.
func (m *Metrics) Connections(read func() map[ir.ServicePort]applier.Connections) {
	m.Registry.MustRegister(&connections{read, prometheus.NewDesc(
		"planec_service_connections_total",
		"Connections of this node's sockets and those of its pods to Services, and datagrams sent without connecting, by what became of them: endpoint or refused",
		[]string{"namespace", "service", "port", "protocol", "outcome"}, nil)})
}

// Describe implements [prometheus.Collector].
func (c *connections) Describe(out chan<- *prometheus.Desc) { out <- c.desc }

// Collect implements [prometheus.Collector].
func (c *connections) Collect(out chan<- prometheus.Metric) {
	counts := c.read()
	for _, s := range slices.SortedFunc(maps.Keys(counts), byName) {
		n := counts[s]
		for _, v := range []struct {
			outcome string
			count   uint64
		}{{"endpoint", n.Given}, {"refused", n.Refused}} {
			out <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(v.count), s.Namespace, s.Name, s.Port, s.Protocol.String(), v.outcome)
		}
	}
}

func byName(a, b ir.ServicePort) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol))
}
