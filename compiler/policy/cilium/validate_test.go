package cilium_test

import (
	"strings"
	"testing"

	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/ir/diag"
)

// TestRefused writes what Cilium's definitions and its agent refuse.
func TestRefused(t *testing.T) {
	ports := func(p string) string { return "ingress: [{toPorts: [{ports: [" + p + "]}]}]" }
	for _, tt := range []struct{ rules, why string }{
		{"endpointSelector: {}\nnodeSelector: {}\ningress: [{}]", "cannot have both"},
		{"ingress: [{}]", "must have one of EndpointSelector"},
		{"nodeSelector: {}\ningress: [{}]", "cannot have NodeSelector"},
		{web + "egress: [{toEndpoints: [{}], toCIDR: [10.0.0.0/8]}]", "combining toEndpoints and toCIDR"},
		{web + "ingress: [{fromRequires: [a]}]", "Too many"},
		{web + "ingress: [{fromNodes: [{}]}]", "enable-node-selector-labels"},
		{web + "ingress: [{fromCIDR: [198.51.100.10]}]", "type cidr"},
		{web + "ingress: [{fromCIDR: [\"::ffff:10.0.0.1/128\"]}]", "type cidr"},
		{web + "ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/9]}]}]", "does not contain"},
		{web + "ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, cidrGroupRef: a}]}]", "exactly one"},
		{web + "ingress: [{fromCIDRSet: [{cidrGroupRef: A}]}]", "CiliumCIDRGroup"},
		{web + "ingress: [{fromEntities: [world-ipv4]}]", "Unsupported value"},
		{web + "egress: [{toFQDNs: [{matchName: a, matchPattern: b}]}]", "exactly one"},
		{web + "egress: [{toFQDNs: [{matchName: \"*\"}]}]", "characters are allowed"},
		{web + "egress: [{toFQDNs: [{matchPattern: \"a..b\"}]}]", "characters are allowed"},
		{web + "ingress: [{authentication: {}, fromEndpoints: [{}]}]", "Unsupported value"},
		{web + ports(""), ""},
		{web + ports("{}"), "must be specified"},
		{web + ports("{port: \"65536\"}"), "unable to parse port"},
		{web + ports("{port: \"08\"}"), "unable to parse port"},
		{web + ports("{port: a_b}"), "unable to parse port"},
		{web + ports("{port: \"010\"}"), ""},
		{web + ports("{port: \"80\", protocol: tcp}"), "Unsupported value"},
		{web + ports("{port: \"80\", endPort: -1}"), "from 0 to 65535"},
		{web + ports("{port: \"80\", protocol: GRE}"), "empty or 0"},
		{web + ports("{port: \"0\", protocol: GRE}"), ""},
		{web + ports(strings.Repeat("{port: \"80\"},", 41)), "Too many"},
		{web + "ingress: [{icmps: [{fields: [{type: 256}]}]}]", ""},
		{web + "ingress: [{icmps: [{fields: [{type: \"256\"}]}]}]", "not found in IPv4"},
		{web + "ingress: [{icmps: [{fields: [{type: -1}]}]}]", "not found in IPv4"},
		{web + "ingress: [{icmps: [{fields: [{type: PacketTooBig}]}]}]", "not found in IPv4"},
		{web + "ingress: [{icmps: [{fields: [{family: IPv6, type: Redirect}]}]}]", "not found in IPv6"},
		{web + "ingress: [{icmps: [{fields: [{family: ipv4, type: 8}]}]}]", "Unsupported value"},
		{web + "ingress: [{icmps: [{fields: [{}]}]}]", "Required value"},
		{web + "ingress: [{icmps: [{}], toPorts: [{}]}]", "without ToPorts"},
		{web + "ingress: [{toPorts: [{rules: {}}]}]", "exactly one"},
		{web + "ingress: [{toPorts: [{rules: {http: [], dns: []}}]}]", "exactly one"},
		{web + "ingress: [{toPorts: [{ports: [{port: \"53\"}], rules: {dns: [{matchName: a}]}}]}]", "not supported on ingress"},
		{web + "egress: [{toPorts: [{ports: [{port: \"53\", endPort: 54}], rules: {dns: [{matchName: a}]}}]}]", "port ranges"},
		{web + "egress: [{toPorts: [{rules: {dns: [{matchName: a}]}}]}]", "port 53"},
		{web + "ingress: [{toPorts: [{ports: [{port: \"80\"}], rules: {http: [{}]}}]}]", "only apply to TCP"},
		{web + "ingress: [{toPorts: [{ports: [{port: \"0\", protocol: TCP}], rules: {http: [{}]}}]}]", "port is 0"},
		{web + "ingress: [{toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{path: \"(\"}]}}]}]", "regular expression"},
		{web + "ingress: [{toPorts: [{ports: [{port: \"80\", protocol: TCP}], rules: {http: [{headerMatches: [{}]}]}}]}]", "Header name"},
		{web + "ingress: [{toPorts: [{serverNames: []}]}]", "at least 1"},
		{web + "ingress: [{toPorts: [{serverNames: [a], ports: [{port: \"80\", protocol: TCP}], rules: {http: [{}]}}]}]", "without TLS termination"},
		{web + "ingress: [{toPorts: [{terminatingTLS: {}}]}]", "Required value"},
		{web + "ingress: [{toPorts: [{listener: {name: a, envoyConfig: {name: b}}}]}]", "not allowed on ingress"},
		{web + "egress: [{toPorts: [{listener: {name: a, envoyConfig: {name: b}, priority: 0}}]}]", "from 1 to 100"},
		{web + "egress: [{toPorts: [{listener: {name: a, envoyConfig: {}}}]}]", "Required value"},
		{"endpointSelector: {matchLabels: {\"a:b:c\": d}}\ningress: [{}]", "more than one source"},
		{"endpointSelector: {matchLabels: {\"a b\": d}}\ningress: [{}]", "alphanumeric"},
		{"endpointSelector: {matchLabels: {a: \"-\"}}\ningress: [{}]", "value of a label"},
		{"endpointSelector: {matchExpressions: [{key: a, operator: In}]}\ningress: [{}]", "must be specified"},
		{"endpointSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}\ningress: [{}]", "may not be specified"},
		{"endpointSelector: {matchExpressions: [{key: a, operator: Near}]}\ningress: [{}]", "Unsupported value"},
		{web + "ingress: [{}]\nlog: {value: \"" + strings.Repeat("x", 33) + "\"}", "32 printable"},
		{web + "ingress: [{}]\nlabels: [{value: a}]", "Required value"},
	} {
		_, diags := policy.Analyze(small(t, "np\n"+tt.rules), policy.Settings{})
		said := ""
		for _, d := range diags {
			if d.Code == diag.RefusedPolicy {
				said = d.Message
			}
		}
		if (said == "") != (tt.why == "") || !strings.Contains(said, tt.why) {
			t.Errorf("%s\nsays %q, want %q", tt.rules, said, tt.why)
		}
	}
}

// TestRefusedIsBounded writes many faults: what is said is bounded, and the policy is
// refused all the same.
func TestRefusedIsBounded(t *testing.T) {
	_, diags := policy.Analyze(small(t, "np\n"+web+"ingress: ["+strings.Repeat("{fromEntities: ["+strings.Repeat("x", 300)+"]},", 1000)+"]"), policy.Settings{})
	size := 0
	for _, d := range diags {
		size += len(d.Message)
	}
	if len(diags) > 100 || size > 50_000 {
		t.Errorf("%d findings of %d bytes", len(diags), size)
	}
}
