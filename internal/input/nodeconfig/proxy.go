package nodeconfig

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Proxy holds the settings of kube-proxy for the process, which the agent uses
// and the compiler does not. The zero value sets nothing.
type Proxy struct {
	// Mode is nftables, iptables or ipvs.
	Mode                                 string
	HealthzBindAddress                   string    // address and port of /healthz; "" is not set
	MetricsBindAddress                   string    // address and port of /metrics; "" is not set
	Kubeconfig                           string    // clientConnection.kubeconfig
	QPS, Burst                           int       // clientConnection.qps and burst; 0 is not set
	EnableProfiling, BindAddressHardFail bool      // whether profiles are served; whether a port in use ends the process
	OOMScoreAdj                          *int      // -1000 to 1000; nil is not set
	Conntrack                            Conntrack // the limits of connection tracking
}

// Conntrack holds the settings of connection tracking
// (KubeProxyConntrackConfiguration in pkg/proxy/apis/config/types.go). Nil and 0
// set nothing; MaxPerCore 0 keeps the limit unchanged.
type Conntrack struct {
	MaxPerCore, Min              *int           // entries per CPU, and the minimum for the node
	TCPEstablished, TCPCloseWait *time.Duration // time-outs
	UDP, UDPStream               time.Duration  // time-outs of single packets and of streams
}

// process reads the settings of the process.
func (o *object) process(mode string, conntrack *object) Proxy {
	client := o.get("clientConnection").object()
	p := Proxy{
		Mode:                mode,
		HealthzBindAddress:  o.get("healthzBindAddress").string(),
		MetricsBindAddress:  o.get("metricsBindAddress").string(),
		EnableProfiling:     o.get("enableProfiling").bool(),
		BindAddressHardFail: o.get("bindAddressHardFail").bool(),
		OOMScoreAdj:         optional(o.get("oomScoreAdj"), value.int),
		Kubeconfig:          client.get("kubeconfig").string(),
		QPS:                 client.get("qps").int(),
		Burst:               client.get("burst").int(),
		Conntrack: Conntrack{
			MaxPerCore:     optional(conntrack.get("maxPerCore"), value.int),
			Min:            optional(conntrack.get("min"), value.int),
			TCPEstablished: optional(conntrack.get("tcpEstablishedTimeout"), value.duration),
			TCPCloseWait:   optional(conntrack.get("tcpCloseWaitTimeout"), value.duration),
			UDP:            conntrack.get("udpTimeout").duration(),
			UDPStream:      conntrack.get("udpStreamTimeout").duration(),
		},
	}
	client.ignore("acceptContentTypes", "contentType")
	client.done()
	return p
}

// optional reads a value, or returns nil if it is not set.
func optional[T any](v value, read func(value) T) *T {
	if !v.isSet() {
		return nil
	}
	x := read(v)
	return &x
}

// duration parses a metav1.Duration; 0 may also be a number.
func (v value) duration() time.Duration {
	if !v.isSet() || v.node.Kind == yaml.ScalarNode && v.node.Value == "0" {
		return 0
	}
	d, err := time.ParseDuration(strings.TrimSpace(v.string()))
	if err != nil || d < 0 {
		v.fail("%.40q is no duration", v.node.Value)
		return 0
	}
	return d
}
