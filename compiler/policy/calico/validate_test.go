package calico

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/planec/planec/compiler/objects/calicov3"
)

// TestValidate has what Calico and its definitions refuse, each with a word of the reason.
func TestValidate(t *testing.T) {
	for _, tt := range []struct{ spec, want string }{
		{"selector: app = 'web'", "spec.selector: Invalid value"},
		{"selector: global()", "global() can only be used"},
		{"selector: \"app == 'web'\\n\"", "spec.selector"},
		{"selector: \"" + strings.Repeat("a", 1000) + " == '" + strings.Repeat("b", 100) + "'\"", "Too long"},
		{"tier: Up", "spec.tier"},
		{"types: []", "at least 1"},
		{"types: [Ingress, Ingress]", "Duplicate"},
		{"types: [Both]", "Unsupported"},
		{"performanceHints: [Fast]", "performanceHints[0]"},
		{"ingress: [{}]", "spec.ingress[0].action: Required"},
		{"ingress: [{action: allow}]", "supported values"},
		{"ingress: [{action: Allow, ipVersion: 5}]", "ipVersion"},
		{"ingress: [{action: Allow, protocol: tcp}]", "protocol name invalid"},
		{"ingress: [{action: Allow, protocol: 0}]", "protocol name invalid"},
		{"ingress: [{action: Allow, notProtocol: 256}]", "protocol name invalid"},
		{"ingress: [{action: Allow, protocol: ICMP, ipVersion: 6}]", "requires ipVersion 4"},
		{"ingress: [{action: Allow, notProtocol: 58, ipVersion: 4}]", "requires ipVersion 6"},
		{"ingress: [{action: Allow, icmp: {type: 8}}]", "require protocol"},
		{"ingress: [{action: Allow, protocol: \"1\", icmp: {type: 8}}]", "require protocol"},
		{"ingress: [{action: Allow, protocol: ICMP, icmp: {type: 255}}]", "icmp.type"},
		{"ingress: [{action: Allow, protocol: ICMP, notICMP: {code: 0}}]", "without an ICMP type"},
		{"ingress: [{action: Allow, destination: {ports: [80]}}]", "must set protocol"},
		{"ingress: [{action: Allow, notProtocol: TCP, destination: {notPorts: [80]}}]", "must set protocol"},
		{"ingress: [{action: Allow, protocol: ICMP, destination: {ports: [http]}}]", "must set protocol"},
		{"ingress: [{action: Allow, protocol: UDPLite, destination: {ports: [80]}}]", "must set protocol"},
		{"ingress: [{action: Allow, protocol: TCP, destination: {ports: [0]}}]", "between 1 and 65535"},
		{"ingress: [{action: Allow, protocol: TCP, destination: {ports: [\"90:80\"]}}]", "greater than maximum"},
		{"ingress: [{action: Allow, protocol: TCP, destination: {ports: [\"8000-8080\"]}}]", "named port"},
		{"ingress: [{action: Allow, protocol: TCP, destination: {ports: [Http]}}]", "named port"},
		{"ingress: [{action: Allow, source: {nets: [198.51.100.77]}}]", "invalid CIDR"},
		{"ingress: [{action: Allow, source: {nets: [everywhere]}}]", "invalid CIDR"},
		{"ingress: [{action: Allow, source: {nets: [198.51.100.77/24]}}]", "host bits"},
		{"ingress: [{action: Allow, source: {nets: [\"::ffff:1.2.3.4/128\"]}}]", "invalid CIDR"},
		{"ingress: [{action: Allow, source: {nets: [10.0.0.0/8, 10.0.0.0/8]}}]", "Duplicate"},
		{"ingress: [{action: Allow, source: {nets: [10.0.0.0/8, \"2001:db8::/32\"]}}]", "both IPv4 and IPv6"},
		{"ingress: [{action: Allow, source: {nets: [10.0.0.0/8]}, destination: {notNets: [\"2001:db8::/32\"]}}]", "both IPv4 and IPv6"},
		{"ingress: [{action: Allow, ipVersion: 6, source: {nets: [10.0.0.0/8]}}]", "doesn't match CIDR version"},
		{"ingress: [{action: Allow, source: {notNets: [0.0.0.0/0]}}]", "catch-all"},
		{"ingress: [{action: Allow, source: {selector: global()}}]", "global() can only"},
		{"ingress: [{action: Allow, source: {namespaceSelector: global() || has(a)}}]", "cannot be combined"},
		{"ingress: [{action: Allow, source: {notSelector: a}}]", "notSelector"},
		{"ingress: [{action: Allow, source: {serviceAccounts: {selector: a}}}]", "serviceAccounts.selector"},
		{"ingress: [{action: Allow, source: {serviceAccounts: {names: [\"a' || all() || b == '\"]}}}]", "would select others"},
		{"ingress: [{action: Allow, source: {services: {}}}]", "must specify a service name"},
		{"ingress: [{action: Allow, source: {services: {name: a}, nets: [10.0.0.0/8]}}]", "Nets/NotNets and Services"},
		{"ingress: [{action: Allow, source: {services: {name: a}, serviceAccounts: {}}}]", "ServiceAccounts and Services"},
		{"ingress: [{action: Allow, destination: {services: {name: a}}}]", "ingress rule destination"},
		{"egress: [{action: Allow, source: {services: {name: a}}}]", "egress rule source"},
		{"egress: [{action: Allow, protocol: TCP, destination: {services: {name: a}, ports: [80]}}]", "with services"},
		{"egress: [{action: Allow, http: {}}]", "not allowed in egress rule"},
		{"ingress: [{action: Deny, http: {}}]", "only valid on Allow"},
		{"ingress: [{action: Allow, protocol: UDP, http: {}}]", "TCP or unset"},
		{"ingress: [{action: Allow, http: {paths: [{exact: a}]}}]", "Invalid path"},
		{"ingress: [{action: Allow, http: {methods: [GET, GET]}}]", "Duplicate"},
	} {
		p := calicov3.NetworkPolicy{}
		if err := yaml.UnmarshalStrict([]byte("metadata: {name: p, namespace: shop}\nspec: {"+tt.spec+"}"), &p); err != nil {
			t.Fatalf("%s: %v", tt.spec, err)
		}
		if got := ValidateNetworkPolicy(&p).ToAggregate(); got == nil || !strings.Contains(got.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.spec, got, tt.want)
		}
	}
}

func TestValidateAccepts(t *testing.T) {
	const spec = `{order: -1.5, selector: "app == 'web'", serviceAccountSelector: all(), performanceHints: [AssumeNeededOnEveryNode], types: [Egress, Ingress],
	  ingress: [
	    {action: Log, protocol: 6, source: {ports: ["1:65535"]}}, {action: Pass, protocol: "6", source: {ports: [80]}}, {action: Allow, notProtocol: UDPLite},
	    {action: Allow, destination: {ports: [http]}}, {action: Allow, protocol: ICMPv6, icmp: {type: 254, code: 255}, ipVersion: 6}, {action: Allow, notICMP: {}},
	    {action: Allow, source: {nets: ["0.0.0.0/0"], notNets: [10.0.0.0/8], selector: all(), notSelector: global(), namespaceSelector: "global( )"}},
	    {action: Allow, source: {services: {name: a}, ports: [80]}, protocol: TCP}, {action: Allow, http: {methods: [GET], paths: [{prefix: /a}]}}],
	  egress: [{action: Allow, destination: {services: {name: a, namespace: b}}}]}`
	p := calicov3.NetworkPolicy{}
	if err := yaml.UnmarshalStrict([]byte("metadata: {name: knp.default.a.b, namespace: shop}\nspec: "+spec), &p); err != nil {
		t.Fatal(err)
	}
	if err := ValidateNetworkPolicy(&p).ToAggregate(); err != nil {
		t.Error(err)
	}
}

func TestValidateOthers(t *testing.T) {
	for _, tt := range []struct{ kind, text, want string }{
		{"global", "metadata: {name: a.b.c}\nspec: {}", "metadata.name"},
		{"global", "metadata: {name: a}\nspec: {preDNAT: true}", "applyOnForward must be true"},
		{"global", "metadata: {name: a}\nspec: {preDNAT: true, doNotTrack: true, applyOnForward: true}", "cannot both be true"},
		{"global", "metadata: {name: a}\nspec: {preDNAT: true, applyOnForward: true, egress: [{action: Allow}]}", "egress rules"},
		{"global", "metadata: {name: a}\nspec: {namespaceSelector: global()}", "global() can only"},
		{"global", "metadata: {name: a}\nspec: {egress: [{action: Allow, destination: {services: {name: a}}}]}", "must specify a namespace"},
		{"global", "metadata: {name: a.b}\nspec: {applyOnForward: true, doNotTrack: true}", ""},
		{"tier", "metadata: {name: a.b}\nspec: {}", "metadata.name"},
		{"tier", "metadata: {name: a}\nspec: {defaultAction: Allow}", "Unsupported"},
		{"tier", "metadata: {name: default}\nspec: {order: 1000000, defaultAction: Pass}", "must have default action 'Deny'"},
		{"tier", "metadata: {name: kube-admin}\nspec: {order: 1000}", "must have default action 'Pass'"},
		{"tier", "metadata: {name: kube-baseline}\nspec: {defaultAction: Pass}", "order must be 10000000"},
		{"tier", "metadata: {name: a}\nspec: {order: 1.5}", ""},
		{"set", "metadata: {name: a}\nspec: {nets: [here]}", "invalid CIDR"},
		{"set", "metadata: {name: a}\nspec: {nets: [10.0.0.1, 10.0.0.1]}", "Duplicate"},
		{"set", "metadata: {name: a, labels: {projectcalico.org/namespace: b}}\nspec: {}", "not a valid label name"},
		{"set", "metadata: {name: a, labels: {\"a b\": c}}\nspec: {}", "metadata.labels"},
		{"set", "metadata: {name: a}\nspec: {nets: [10.0.0.1, 10.0.0.1/8, \"2001:db8::/32\"]}", ""},
	} {
		var got error
		switch tt.kind {
		case "global":
			o := calicov3.GlobalNetworkPolicy{}
			got = read(t, tt.text, &o, func() error { return ValidateGlobalNetworkPolicy(&o).ToAggregate() })
		case "tier":
			o := calicov3.Tier{}
			got = read(t, tt.text, &o, func() error { return ValidateTier(&o).ToAggregate() })
		case "set":
			o := calicov3.NetworkSet{}
			got = read(t, tt.text, &o, func() error { return ValidateSet(&o.ObjectMeta, &o.Spec).ToAggregate() })
		}
		if tt.want == "" && got != nil || tt.want != "" && (got == nil || !strings.Contains(got.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.text, got, tt.want)
		}
	}
}

func read(t *testing.T, text string, into any, check func() error) error {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if err := check(); err != nil {
		return err
	}
	return nil
}
