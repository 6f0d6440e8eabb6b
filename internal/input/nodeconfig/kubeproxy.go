package nodeconfig

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// kubeProxy reads a KubeProxyConfiguration: k8s.io/kube-proxy/config/v1alpha1
// types.go.
func (r *reader) kubeProxy(root *yaml.Node) NodeConfig {
	o := r.object(root, "")
	o.ignore("apiVersion", "kind")
	c := Default()
	// kube-proxy compares node names in lower case (pkg/util/node GetHostname).
	c.Node = strings.ToLower(o.get("hostnameOverride").nodeName())
	c.Config.ClusterCIDRs = o.get("clusterCIDR").clusterCIDRs()
	c.Config.NodePortAddresses = o.get("nodePortAddresses").nodePortAddresses()
	c.Config.DetectLocal = o.proxyDetectLocal()

	mode := o.get("mode")
	sections := []string{"iptables", "ipvs", "nftables", "winkernel"}
	if !slices.Contains([]string{"", "iptables", "ipvs", "nftables", "kernelspace"}, mode.string()) {
		mode.fail("%q is no mode of kube-proxy: want iptables, ipvs or nftables", mode.string())
	}
	if mode.string() == "kernelspace" {
		mode.fail("kernelspace is the mode of Windows nodes, which planec does not serve")
	}
	r.noteMode(mode)
	for _, name := range sections {
		section := o.get(name).object()
		// The ipvs mode also reads the iptables section, because its masquerade uses
		// iptables.
		counts := name == "iptables" && mode.string() != "nftables" || name == "nftables" && mode.string() == "nftables"
		if name == "iptables" || name == "nftables" {
			all, bit := section.get("masqueradeAll").bool(), section.get("masqueradeBit").masqueradeBit()
			if counts {
				c.Config.MasqueradeAll, c.MasqueradeBit = all, bit
			}
		}
		if name == "ipvs" {
			// In other modes kube-proxy ignores it, so any value is valid.
			scheduler := section.get("scheduler")
			if mode.string() == "ipvs" || CheckScheduler(scheduler.string()) == nil {
				c.Scheduler = scheduler.scheduler()
			}
		}
		section.ignore(proxyFields[name]...)
		section.done()
	}
	conntrack := o.get("conntrack").object()
	c.Config.TCPBeLiberal = conntrack.get("tcpBeLiberal").bool()
	c.Proxy = o.process(mode.string(), conntrack)
	conntrack.done()

	o.ignore(proxyFields[""]...)
	o.done()
	r.noteIgnored(root)
	return c
}

// proxyDetectLocal reads detectLocalMode and detectLocal.
func (o *object) proxyDetectLocal() objects.DetectLocal {
	mode, detect := o.get("detectLocalMode"), o.get("detectLocal").object()
	bridge, prefix := detect.get("bridgeInterface"), detect.get("interfaceNamePrefix")
	detect.done()
	var d objects.DetectLocal
	name := value{}
	switch s := mode.string(); s {
	case "":
		return d
	case "ClusterCIDR":
		d.Mode = objects.DetectByClusterCIDR
		return d
	case "NodeCIDR":
		d.Mode = objects.DetectByNodeCIDR
		return d
	case "BridgeInterface":
		d.Mode, name = objects.DetectByBridge, bridge
	case "InterfaceNamePrefix":
		d.Mode, name = objects.DetectByPrefix, prefix
	default:
		known := []string{"ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"}
		mode.fail("%q is none of %s%s", s, strings.Join(known, ", "), suggest.DidYouMean(s, known))
		return d
	}
	d.Interface = name.string()
	if err := checkInterface(d.Interface); err != nil {
		name.fail("%v", err)
	}
	return d
}

// proxyFields lists the fields of each section that are known and have no
// effect here.
var proxyFields = map[string][]string{
	"": {
		"featureGates", "logging", "bindAddress", "showHiddenMetricsForVersion", "configSyncPeriod",
		"portRange", "windowsRunAsService",
		// Fields of earlier releases, which kubeadm wrote to ConfigMaps.
		"udpIdleTimeout", "resourceContainer",
	},
	"iptables":  {"localhostNodePorts", "snatNodeInternalIP", "syncPeriod", "minSyncPeriod"},
	"ipvs":      {"syncPeriod", "minSyncPeriod", "excludeCIDRs", "strictARP", "tcpTimeout", "tcpFinTimeout", "udpTimeout"},
	"nftables":  {"syncPeriod", "minSyncPeriod"},
	"winkernel": {"networkName", "sourceVip", "enableDSR", "rootHnsEndpointName", "forwardHealthCheckVip"},
}

// proxyDefaults lists ignored settings that would change the treatment of
// packets, with kube-proxy's default values
// (pkg/proxy/apis/config/v1alpha1/defaults.go).
var proxyDefaults = []struct {
	path   string
	values []string
	// agent reports that planec-agent uses it.
	agent bool
}{
	{"bindAddress", []string{"0.0.0.0", "::"}, false},
	{"featureGates", nil, false},
	{"iptables.localhostNodePorts", []string{"false"}, false},
	{"iptables.snatNodeInternalIP", []string{"false"}, false},
	{"ipvs.excludeCIDRs", nil, false},
	{"ipvs.strictARP", []string{"false"}, false},
	{"ipvs.tcpTimeout", nil, false},
	{"ipvs.tcpFinTimeout", nil, false},
	{"ipvs.udpTimeout", nil, false},
	{"conntrack.maxPerCore", []string{"32768"}, true},
	{"conntrack.min", []string{"131072"}, true},
	{"conntrack.tcpEstablishedTimeout", []string{"24h", "24h0m0s"}, true},
	{"conntrack.tcpCloseWaitTimeout", []string{"1h", "1h0m0s"}, true},
	{"conntrack.udpTimeout", nil, true},
	{"conntrack.udpStreamTimeout", nil, true},
}

// noteMode reports that a mode is deprecated (gate KubeProxyIPVS of Kubernetes 1.37).
func (r *reader) noteMode(mode value) {
	if mode.string() == "ipvs" {
		r.notes.Add(diag.DeprecatedMode, ir.Origin{File: r.file, Line: mode.node.Line}, "mode: ipvs")
	}
}

// noteIgnored reports once the settings without an effect on rules.
func (r *reader) noteIgnored(root *yaml.Node) {
	var ignored, agents []string
	line := 0
	for _, s := range proxyDefaults {
		n := nodeAt(root, strings.Split(s.path, ".")...)
		if n == nil || isNull(n) || (n.Kind != yaml.ScalarNode && len(n.Content) == 0) ||
			(n.Kind == yaml.ScalarNode && slices.Contains(append([]string{"", "0", "0s"}, s.values...), n.Value)) {
			continue
		}
		if s.agent {
			agents = append(agents, s.path)
		} else {
			ignored = append(ignored, s.path)
		}
		if line == 0 || n.Line < line {
			line = n.Line
		}
	}
	at := ir.Origin{File: r.file, Line: line}
	if len(ignored) > 0 {
		r.notes.Add(diag.IgnoredSetting, at, "ignored: "+strings.Join(ignored, ", "))
	}
	if len(agents) > 0 {
		r.notes.Add(diag.IgnoredSetting, at, "for planec-agent only: "+strings.Join(agents, ", "))
	}
}

// nodeName parses the name of a node.
func (v value) nodeName() string {
	name := strings.TrimSpace(v.string())
	if len(name) > 253 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' }) {
		v.fail("%.100q cannot be the name of a node", name)
		return ""
	}
	return name
}
