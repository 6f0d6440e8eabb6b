package nodeconfig

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Proxy is what a configuration of kube-proxy says about the process, which the
// agent uses and the compiler has no use for. Its zero value says nothing.
type Proxy struct {
	// Mode is nftables, iptables or ipvs.
	Mode                                 string
	HealthzBindAddress                   string    // address and port of /healthz; "" is not said
	MetricsBindAddress                   string    // address and port of /metrics; "" is not said
	Kubeconfig                           string    // clientConnection.kubeconfig
	QPS, Burst                           int       // clientConnection.qps and burst; 0 is not said
	EnableProfiling, BindAddressHardFail bool      // whether profiles are served; whether a port that is taken ends the process
	OOMScoreAdj                          *int      // -1000 to 1000; nil is not said
	Conntrack                            Conntrack // the limits of connection tracking
}

// Conntrack is connection tracking's part (KubeProxyConntrackConfiguration in
// pkg/proxy/apis/config/types.go). Nil and 0 say nothing; MaxPerCore 0 leaves the
// limit alone.
type Conntrack struct {
	MaxPerCore, Min              *int           // entries for each CPU, and the fewest of the node
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
		OOMScoreAdj:         o.get("oomScoreAdj").optionalInt(),
		Kubeconfig:          client.get("kubeconfig").string(),
		QPS:                 client.get("qps").int(),
		Burst:               client.get("burst").int(),
		Conntrack: Conntrack{
			MaxPerCore:     conntrack.get("maxPerCore").optionalInt(),
			Min:            conntrack.get("min").optionalInt(),
			TCPEstablished: conntrack.get("tcpEstablishedTimeout").optionalDuration(),
			TCPCloseWait:   conntrack.get("tcpCloseWaitTimeout").optionalDuration(),
			UDP:            conntrack.get("udpTimeout").duration(),
			UDPStream:      conntrack.get("udpStreamTimeout").duration(),
		},
	}
	client.ignore("acceptContentTypes", "contentType")
	client.done()
	return p
}

func (v value) optionalInt() *int {
	if !v.isSet() {
		return nil
	}
	n := v.int()
	return &n
}

func (v value) optionalDuration() *time.Duration {
	if !v.isSet() {
		return nil
	}
	d := v.duration()
	return &d
}

// duration reads a metav1.Duration; 0 may be written as a number.
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
