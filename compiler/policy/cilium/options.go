package cilium

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// options are those of Cilium's agent that change verdicts, with its defaults.
type options struct {
	clusterName string
	ipv4, ipv6  bool // the families of the cluster
	// hostFirewall enforces policies of nodes; nodeLabels gives nodes labels as peers.
	hostFirewall, nodeLabels bool
	l7, icmp                 bool // whether such rules are accepted
	extendedProtocols        bool // whether a protocol may stand without a port
	nonDefaultDeny           bool // whether enableDefaultDeny counts
	cidrNodes, cidrPods      bool // whether CIDRs match nodes, and pods
	// judgeOwnNode isolates pods from their own node too.
	judgeOwnNode       bool
	enforcement        string // enforceDefault, enforceAlways or enforceNever
	policies           bool   // whether CiliumNetworkPolicy counts
	clusterPolicies    bool   // whether CiliumClusterwideNetworkPolicy counts
	podFilter          *filter
	nodeFilter         *filter
	origin             ir.Origin // of the ConfigMap, if there is one
	userPods, userNode []string
}

// The modes of the option enable-policy.
const (
	enforceDefault = "default"
	enforceAlways  = "always"
	enforceNever   = "never"
)

func defaults() *options {
	return &options{
		clusterName: "default", ipv4: true, ipv6: true, l7: true, icmp: true, nonDefaultDeny: true,
		enforcement: enforceDefault, policies: true, clusterPolicies: true,
		podFilter: newFilter(sourceK8s), nodeFilter: newFilter(sourceNode),
	}
}

// taken are the options that are read, by their names in the ConfigMap
// (pkg/option/config.go).
var taken = map[string]func(o *options, value string) error{
	"cluster-name":                             func(o *options, v string) error { o.clusterName = v; return nil },
	"enable-ipv4":                              flag(func(o *options) *bool { return &o.ipv4 }),
	"enable-ipv6":                              flag(func(o *options) *bool { return &o.ipv6 }),
	"enable-host-firewall":                     flag(func(o *options) *bool { return &o.hostFirewall }),
	"enable-node-selector-labels":              flag(func(o *options) *bool { return &o.nodeLabels }),
	"enable-l7-proxy":                          flag(func(o *options) *bool { return &o.l7 }),
	"enable-icmp-rules":                        flag(func(o *options) *bool { return &o.icmp }),
	"enable-extended-ip-protocols":             flag(func(o *options) *bool { return &o.extendedProtocols }),
	"enable-non-default-deny-policies":         flag(func(o *options) *bool { return &o.nonDefaultDeny }),
	"enable-cilium-network-policy":             flag(func(o *options) *bool { return &o.policies }),
	"enable-cilium-clusterwide-network-policy": flag(func(o *options) *bool { return &o.clusterPolicies }),
	"policy-cidr-match-mode":                   takeMatchMode,
	"allow-localhost":                          takeLocalhost,
	"enable-policy":                            takeEnforcement,
	"labels":                                   func(o *options, v string) error { o.userPods = strings.Fields(v); return nil },
	"node-labels":                              func(o *options, v string) error { o.userNode = strings.Fields(v); return nil },
}

// left are options that change verdicts and are not taken: the value that changes
// nothing, and what planec does. "" is no value at all.
var left = map[string]struct{ harmless, instead string }{
	"enable-k8s-cluster-network-policy": {"true", "ClusterNetworkPolicies are enforced"},
	"enable-k8s-networkpolicy":          {"true", "NetworkPolicies are enforced"},
	"exclude-node-label-patterns":       {"", "nodes have all their labels"},
	"label-prefix-file":                 {"", "labels are filtered as without the file"},
	"policy-audit-mode":                 {"false", "policies are enforced"},
	"policy-default-local-cluster":      {"true", "selectors mean this cluster"},
}

func flag(of func(*options) *bool) func(*options, string) error {
	return func(o *options, value string) error {
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%.80q is neither true nor false", value)
		}
		*of(o) = b
		return nil
	}
}

func takeMatchMode(o *options, value string) error {
	o.cidrNodes, o.cidrPods = false, false
	for _, mode := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		switch mode {
		case "nodes":
			o.cidrNodes = true
		case "pods":
			o.cidrPods = true
		default:
			return fmt.Errorf("%.80q is no mode; there are nodes and pods", mode)
		}
	}
	return nil
}

func takeLocalhost(o *options, value string) error {
	switch value {
	case "auto", "always":
		o.judgeOwnNode = false
	case "policy":
		o.judgeOwnNode = true
	default:
		return fmt.Errorf("%.80q is none of auto, always and policy", value)
	}
	return nil
}

func takeEnforcement(o *options, value string) error {
	switch value = strings.ToLower(value); value {
	case enforceDefault, enforceAlways, enforceNever:
		o.enforcement = value
		return nil
	}
	return fmt.Errorf("%.80q is none of default, always and never", value)
}

// readOptions reads the ConfigMap, if there is one.
func readOptions(set *objects.Set, diags *diag.List) *options {
	o := defaults()
	for i, src := range set.CiliumConfigs {
		if i > 0 {
			break
		}
		o.origin = objects.Origin("ConfigMap", src)
		for _, name := range slices.Sorted(maps.Keys(src.Object.Data)) {
			o.take(name, strings.TrimSpace(src.Object.Data[name]), diags)
		}
	}
	o.filter(o.podFilter, slices.Clone(defaultPrefixes), o.userPods, "labels", diags)
	o.filter(o.nodeFilter, nil, o.userNode, "node-labels", diags)
	return o
}

func (o *options) take(name, value string, diags *diag.List) {
	at := o.origin.At("data." + name)
	if take := taken[name]; take != nil {
		if err := take(o, value); err != nil {
			diags.Add(diag.CiliumOption, at, err.Error()+": the default is used")
		}
		return
	}
	if l, known := left[name]; known && value != l.harmless {
		diags.Add(diag.CiliumOption, at, fmt.Sprintf("planec does not take this option: %s", l.instead))
	}
}

func (o *options) filter(f *filter, builtIn, user []string, name string, diags *diag.List) {
	err := f.add(builtIn, false)
	if err == nil {
		err = f.add(user, true)
	}
	if err != nil {
		diags.Add(diag.CiliumOption, o.origin.At("data."+name), err.Error()+": it is left out")
	}
}
