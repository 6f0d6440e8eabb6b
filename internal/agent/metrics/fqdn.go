package metrics

import "github.com/prometheus/client_golang/prometheus"

// FQDN are the metrics of addresses that a node learns of answers of DNS.
type FQDN struct {
	connections, names, addresses prometheus.Gauge
	frames                        *prometheus.CounterVec
}

// FQDN registers these metrics.
func (m *Metrics) FQDN() *FQDN {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	f := &FQDN{
		connections: gauge("planec_fqdn_connections", "Resolvers that are connected to the socket of --fqdn-listen"),
		names:       gauge("planec_fqdn_names", "DNS names of policies with addresses that answers of DNS said"),
		addresses:   gauge("planec_fqdn_addresses", "Addresses of these names"),
		frames:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "planec_fqdn_frames_total", Help: "Frames of resolvers by result: kept (an address of a name that a policy has), other (another message or name), refused (an address that no name may have, or no room) or malformed"}, []string{"result"}),
	}
	m.Registry.MustRegister(f.connections, f.names, f.addresses, f.frames)
	return f
}

// Framed counts a frame.
func (f *FQDN) Framed(result string) { f.frames.WithLabelValues(result).Inc() }

// Connected adds to the connections.
func (f *FQDN) Connected(more int) { f.connections.Add(float64(more)) }

// Knows sets how much is known.
func (f *FQDN) Knows(names, addresses int) {
	f.names.Set(float64(names))
	f.addresses.Set(float64(addresses))
}
