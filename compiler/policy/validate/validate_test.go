package validate_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	policyv1alpha1 "sigs.k8s.io/network-policy-api/apis/v1alpha1"
	policyv1beta1 "sigs.k8s.io/network-policy-api/apis/v1beta1"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/compiler/policy/validate"
)

// refusal is a policy, or its spec, and why it is refused; no reasons are a
// policy that passes.
type refusal struct {
	name, text string
	want       []string
}

func check[T any](t *testing.T, tests []refusal, format string, refuse func(*T) field.ErrorList) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p T
			if err := yaml.UnmarshalStrict(fmt.Appendf(nil, format, tt.text), &p); err != nil {
				t.Fatal(err)
			}
			before, err := yaml.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			got := texts(refuse(&p))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if again := texts(refuse(&p)); !slices.Equal(got, again) {
				t.Errorf("once %q, then %q", got, again)
			}
			if after, err := yaml.Marshal(p); err != nil || !bytes.Equal(before, after) {
				t.Errorf("%s was made %s (%v)", before, after, err)
			}
		})
	}
}

func texts(errs field.ErrorList) []string {
	var out []string
	for _, e := range errs {
		out = append(out, e.Error())
	}
	return out
}

const (
	badCIDR  = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
	badName  = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`
	badKey   = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`
	badValue = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`
)

func TestMeta(t *testing.T) {
	check(t, []refusal{
		{"fine", "metadata: {name: a.b, namespace: x, labels: {a.b/c: d}}", nil},
		{"nothing", "{}", []string{"metadata.name: Required value: name or generateName is required", "metadata.namespace: Required value"}},
		{"names", "metadata: {name: A, namespace: x, labels: {b c: d e, a b: ''}}", []string{
			`metadata.name: Invalid value: "A": ` + badName,
			`metadata.labels: Invalid value: "a b": ` + badKey,
			`metadata.labels: Invalid value: "b c": ` + badKey,
			`metadata.labels: Invalid value: "d e": ` + badValue,
		}},
	}, "%s", validate.NetworkPolicy)
}

func TestNetworkPolicy(t *testing.T) {
	check(t, []refusal{
		{"nothing", "{}", nil},
		{"everything", "{podSelector: {}, ingress: [{}], egress: [{}], policyTypes: [Ingress, Egress]}", nil},
		{"empty lists", "{ingress: [{from: [], ports: []}], egress: [], policyTypes: []}", nil},
		{"selectors", "{podSelector: {matchExpressions: [{key: a, operator: In}, {key: a, operator: Exists, values: [b]}, {key: a, operator: Gt, values: ['1']}, {key: 'a b', operator: NotIn, values: [c d]}, {operator: DoesNotExist}]}}", []string{
			"spec.podSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
			"spec.podSelector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
			`spec.podSelector.matchExpressions[2].operator: Invalid value: "Gt": not a valid selector operator`,
			`spec.podSelector.matchExpressions[3].key: Invalid value: "a b": ` + badKey,
			`spec.podSelector.matchExpressions[3].values[0]: Invalid value: "c d": ` + badValue,
			`spec.podSelector.matchExpressions[4].key: Invalid value: "": name part must be non-empty`,
			`spec.podSelector.matchExpressions[4].key: Invalid value: "": ` + badKey,
		}},
		{"peers", "{ingress: [{}, {from: [{podSelector: {}}, {}, {podSelector: {}, namespaceSelector: {}}]}], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}, {ipBlock: {}, namespaceSelector: {matchLabels: {a: b c}}}]}]}", []string{
			"spec.ingress[1].from[1]: Required value: must specify a peer",
			"spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer",
			`spec.egress[0].to[1].namespaceSelector.matchLabels: Invalid value: "b c": ` + badValue,
			"spec.egress[0].to[1].ipBlock.cidr: Required value",
			"spec.egress[0].to[1]: Forbidden: may not specify both ipBlock and another peer",
		}},
		{"null peers", "{ingress: [{from: [null]}], egress: [{to: [null]}]}", []string{
			"spec.ingress[0].from[0]: Required value: must specify a peer",
			"spec.egress[0].to[0]: Required value: must specify a peer",
		}},
		{"blocks", "{ingress: [{from: [{ipBlock: {cidr: x}}, {ipBlock: {cidr: 10.0.0.0}}, {ipBlock: {cidr: 10.0.0.0/33, except: [y]}}, {ipBlock: {cidr: 'fe80::1%e/64'}}, {ipBlock: {cidr: ' 10.0.0.0/8'}}]}]}", []string{
			`spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "x": ` + badCIDR,
			`spec.ingress[0].from[1].ipBlock.cidr: Invalid value: "10.0.0.0": ` + badCIDR,
			`spec.ingress[0].from[2].ipBlock.cidr: Invalid value: "10.0.0.0/33": ` + badCIDR,
			`spec.ingress[0].from[3].ipBlock.cidr: Invalid value: "fe80::1%e/64": ` + badCIDR,
			`spec.ingress[0].from[4].ipBlock.cidr: Invalid value: " 10.0.0.0/8": ` + badCIDR,
		}},
		{"exceptions", "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.0.0.0/8, 10.0.0.0/7, 11.0.0.0/16, 'fd00::/16', '', z]}}, {ipBlock: {cidr: '::/0', except: ['::/1', '8000::/1', '::/0']}}, {ipBlock: {cidr: 0.0.0.0/0, except: ['::/1']}}]}]}", []string{
			`spec.egress[0].to[0].ipBlock.except[1]: Invalid value: "10.0.0.0/8": must be a strict subset of ` + "`cidr`",
			`spec.egress[0].to[0].ipBlock.except[2]: Invalid value: "10.0.0.0/7": must be a strict subset of ` + "`cidr`",
			`spec.egress[0].to[0].ipBlock.except[3]: Invalid value: "11.0.0.0/16": must be a strict subset of ` + "`cidr`",
			`spec.egress[0].to[0].ipBlock.except[4]: Invalid value: "fd00::/16": must be a strict subset of ` + "`cidr`",
			`spec.egress[0].to[0].ipBlock.except[5]: Invalid value: "": ` + badCIDR,
			`spec.egress[0].to[0].ipBlock.except[6]: Invalid value: "z": ` + badCIDR,
			`spec.egress[0].to[1].ipBlock.except[2]: Invalid value: "::/0": must be a strict subset of ` + "`cidr`",
			`spec.egress[0].to[2].ipBlock.except[0]: Invalid value: "::/1": must be a strict subset of ` + "`cidr`",
		}},
		{"CIDRs that v1.36 refuses and keeps", "{egress: [{to: [{ipBlock: {cidr: 10.0.0.1/8, except: [010.1.0.0/016, '::ffff:10.2.0.0/112']}}]}]}", nil},
		{"ports", "{ingress: [{ports: [{}, {port: 80}, {port: 1, endPort: 1}, {port: http}, {port: 0}, {port: 65536}, {port: -1, endPort: 65536}, {port: 80, endPort: 79}, {endPort: 80}, {port: http, endPort: 80}]}]}", []string{
			"spec.ingress[0].ports[4].port: Invalid value: 0: must be between 1 and 65535, inclusive",
			"spec.ingress[0].ports[5].port: Invalid value: 65536: must be between 1 and 65535, inclusive",
			"spec.ingress[0].ports[6].port: Invalid value: -1: must be between 1 and 65535, inclusive",
			"spec.ingress[0].ports[6].endPort: Invalid value: 65536: must be between 1 and 65535, inclusive",
			"spec.ingress[0].ports[7].endPort: Invalid value: 79: must be greater than or equal to `port`",
			"spec.ingress[0].ports[8].endPort: Invalid value: 80: may not be specified when `port` is not specified",
			"spec.ingress[0].ports[9].endPort: Invalid value: 80: may not be specified when `port` is non-numeric",
		}},
		{"port names", "{egress: [{ports: [{port: '80'}, {port: a_b}, {port: a--b}, {port: -a}, {port: abcdefghijklmnop}, {port: ''}]}]}", []string{
			`spec.egress[0].ports[0].port: Invalid value: "80": must contain at least one letter (a-z)`,
			`spec.egress[0].ports[1].port: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
			`spec.egress[0].ports[2].port: Invalid value: "a--b": must not contain consecutive hyphens`,
			`spec.egress[0].ports[3].port: Invalid value: "-a": must not begin or end with a hyphen`,
			`spec.egress[0].ports[4].port: Invalid value: "abcdefghijklmnop": must be no more than 15 characters`,
			`spec.egress[0].ports[5].port: Invalid value: "": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
			`spec.egress[0].ports[5].port: Invalid value: "": must contain at least one letter (a-z)`,
		}},
		{"protocols", "{ingress: [{ports: [{protocol: TCP}, {protocol: UDP}, {protocol: SCTP}, {protocol: tcp}, {protocol: ''}]}]}", []string{
			`spec.ingress[0].ports[3].protocol: Unsupported value: "tcp": supported values: "TCP", "UDP", "SCTP"`,
			`spec.ingress[0].ports[4].protocol: Unsupported value: "": supported values: "TCP", "UDP", "SCTP"`,
		}},
		{"policyTypes", "{policyTypes: [ingress, Egress]}", []string{`spec.policyTypes[0]: Unsupported value: "ingress": supported values: "Ingress", "Egress"`}},
		{"policyTypes twice", "{policyTypes: [Ingress, Ingress]}", nil},
		{"three policyTypes", "{policyTypes: [Ingress, x, Egress]}", []string{`spec.policyTypes: Invalid value: ["Ingress","x","Egress"]: may not specify more than two policyTypes`}},
	}, "metadata: {name: a, namespace: x}\nspec: %s", validate.NetworkPolicy)
}

func TestClusterNetworkPolicy(t *testing.T) {
	const start = "tier: Admin, priority: 0, subject: {namespaces: {}}"
	const pattern = `in body should match '^(\*\.)?([a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$'`
	noNamedPorts := "networks/nodes/domainNames peer cannot be set with namedPorts since there are no namedPorts for networks/nodes/domainNames"
	egress := func(peer, rest string) string {
		return "{" + start + ", egress: [{action: Accept, to: [" + peer + "]" + rest + "}]}"
	}
	check(t, []refusal{
		{"fine", "{" + start + ", ingress: [], egress: []}", nil},
		{"nothing", "{}", []string{"spec.tier: Required value", "spec.subject: Invalid value: 0: spec.subject in body should have at least 1 properties"}},
		{"head", "{tier: admin, priority: -1, subject: {namespaces: {}, pods: {podSelector: {}}}}", []string{
			`spec.tier: Unsupported value: "admin": supported values: "Admin", "Baseline"`,
			"spec.priority: Invalid value: -1: spec.priority in body should be greater than or equal to 0",
			"spec.subject: Too many: 2: must have at most 1 item",
		}},
		{"priority", "{tier: Baseline, priority: 1001, subject: {pods: {}}}", []string{"spec.priority: Invalid value: 1001: spec.priority in body should be less than or equal to 1000"}},
		{"selectors", "{tier: Baseline, priority: 1000, subject: {pods: {namespaceSelector: {matchLabels: {a: b c}}, podSelector: {matchExpressions: [{key: a, operator: in}]}}}}", []string{
			`spec.subject.pods.namespaceSelector.matchLabels: Invalid value: "b c": ` + badValue,
			`spec.subject.pods.podSelector.matchExpressions[0].operator: Invalid value: "in": not a valid selector operator`,
		}},
		{"rules", "{" + start + ", ingress: [{}, {name: " + strings.Repeat("é", 101) + ", action: Allow, from: [], protocols: []}, {name: " + strings.Repeat("é", 100) + ", action: Pass, from: [{}]}], egress: [{}, {action: Deny, to: [{}]}]}", []string{
			"spec.ingress[0].action: Required value",
			"spec.ingress[0].from: Required value",
			"spec.ingress[1].name: Too long: may not be more than 100 bytes",
			`spec.ingress[1].action: Unsupported value: "Allow": supported values: "Accept", "Deny", "Pass"`,
			"spec.ingress[1].from: Invalid value: 0: spec.ingress[1].from in body should have at least 1 items",
			"spec.ingress[1].protocols: Invalid value: 0: spec.ingress[1].protocols in body should have at least 1 items",
			"spec.egress[0].action: Required value",
			"spec.egress[0].to: Required value",
		}},
		{"counts", "{" + start + ", ingress: [" + times(26, "{}") + "], egress: [" + times(25, "{action: Deny, to: [{}]}") + "]}", []string{"spec.ingress: Too many: 26: must have at most 25 items"}},
		{"more counts", egress(times(26, "{}"), ", protocols: ["+times(26, "{}")+"]"), []string{
			"spec.egress[0].to: Too many: 26: must have at most 25 items",
			"spec.egress[0].protocols: Too many: 26: must have at most 25 items",
		}},
		{"peers", "{" + start + ", ingress: [{action: Deny, from: [{namespaces: {}}, {pods: {}}, {namespaces: {}, pods: {}}, {}]}]}", []string{"spec.ingress[0].from[2]: Too many: 2: must have at most 1 item"}},
		{"destinations", egress("{namespaces: {}}, {pods: {}}, {nodes: {}}, {}, {nodes: {}, networks: [10.0.0.0/8], domainNames: [a.b]}, {nodes: {matchLabels: {a: '-'}}}", ""), []string{
			"spec.egress[0].to[4]: Too many: 3: must have at most 1 item",
			`spec.egress[0].to[5].nodes.matchLabels: Invalid value: "-": ` + badValue,
		}},
		{"networks", egress("{networks: [10.0.0.1/8, 'fd00::/8', 0.0.0.0/0]}, {networks: []}, {networks: [10.0.0.0, '', 010.0.0.0/8, '::ffff:10.0.0.0/104', 'fe80::%e/64', "+strings.Repeat("a", 44)+"]}", ""), []string{
			"spec.egress[0].to[1].networks: Invalid value: 0: spec.egress[0].to[1].networks in body should have at least 1 items",
			`spec.egress[0].to[2].networks[0]: Invalid value: "10.0.0.0": Invalid CIDR format provided`,
			`spec.egress[0].to[2].networks[1]: Invalid value: "": Invalid CIDR format provided`,
			`spec.egress[0].to[2].networks[2]: Invalid value: "010.0.0.0/8": Invalid CIDR format provided`,
			`spec.egress[0].to[2].networks[3]: Invalid value: "::ffff:10.0.0.0/104": Invalid CIDR format provided`,
			`spec.egress[0].to[2].networks[4]: Invalid value: "fe80::%e/64": Invalid CIDR format provided`,
			"spec.egress[0].to[2].networks[5]: Too long: may not be more than 43 bytes",
			`spec.egress[0].to[2].networks[5]: Invalid value: "` + strings.Repeat("a", 44) + `": Invalid CIDR format provided`,
		}},
		{"networks that repeat", egress("{networks: [10.0.0.0/8, 10.0.0.0/9, 10.0.0.0/8, 10.0.0.0/8]}, {networks: ["+times(26, "10.0.0.0/8")+"]}", ""), []string{
			`spec.egress[0].to[0].networks[2]: Duplicate value: "10.0.0.0/8"`,
			"spec.egress[0].to[1].networks: Too many: 26: must have at most 25 items",
		}},
		{"domain names", egress("{domainNames: [a.b, '*.a.b', 'a.b.', A_1.b, '*', a, '*.a', a.*.b, '', a.b, '[.b']}, {domainNames: []}", ""), []string{
			`spec.egress[0].to[0].domainNames[4]: Invalid value: "*": spec.egress[0].to[0].domainNames[4] ` + pattern,
			`spec.egress[0].to[0].domainNames[5]: Invalid value: "a": spec.egress[0].to[0].domainNames[5] ` + pattern,
			`spec.egress[0].to[0].domainNames[6]: Invalid value: "*.a": spec.egress[0].to[0].domainNames[6] ` + pattern,
			`spec.egress[0].to[0].domainNames[7]: Invalid value: "a.*.b": spec.egress[0].to[0].domainNames[7] ` + pattern,
			`spec.egress[0].to[0].domainNames[8]: Invalid value: "": spec.egress[0].to[0].domainNames[8] ` + pattern,
			`spec.egress[0].to[0].domainNames[9]: Duplicate value: "a.b"`,
			"spec.egress[0].to[1].domainNames: Invalid value: 0: spec.egress[0].to[1].domainNames in body should have at least 1 items",
		}},
		{"domain names elsewhere", "{" + start + ", egress: [{action: Deny, to: [{}, {domainNames: [a.b]}]}, {action: Pass, to: [{domainNames: [a.b]}]}]}", []string{
			"spec.egress[0].to[1].domainNames: Forbidden: domainNames is only supported for Accept rules",
			"spec.egress[1].to[0].domainNames: Forbidden: domainNames is only supported for Accept rules",
		}},
		{"protocols", egress("{}", ", protocols: [{}, {tcp: {}}, {tcp: {destinationPort: {}}, udp: {destinationPort: {number: 1}}}, {sctp: {destinationPort: {number: 65535}}}, {destinationNamedPort: http}, {destinationNamedPort: http, udp: {destinationPort: {number: 65536}}}, {sctp: {destinationPort: {number: -1}}}]"), []string{
			"spec.egress[0].protocols[0]: Invalid value: 0: spec.egress[0].protocols[0] in body should have at least 1 properties",
			"spec.egress[0].protocols[1].tcp: Invalid value: 0: spec.egress[0].protocols[1].tcp in body should have at least 1 properties",
			"spec.egress[0].protocols[2]: Too many: 2: must have at most 1 item",
			"spec.egress[0].protocols[2].tcp.destinationPort: Invalid value: 0: spec.egress[0].protocols[2].tcp.destinationPort in body should have at least 1 properties",
			"spec.egress[0].protocols[5]: Too many: 2: must have at most 1 item",
			"spec.egress[0].protocols[5].udp.destinationPort.number: Invalid value: 65536: spec.egress[0].protocols[5].udp.destinationPort.number in body should be less than or equal to 65535",
			"spec.egress[0].protocols[6].sctp.destinationPort.number: Invalid value: -1: spec.egress[0].protocols[6].sctp.destinationPort.number in body should be greater than or equal to 1",
		}},
		{"ranges", egress("{}", ", protocols: [{tcp: {destinationPort: {range: {start: 1, end: 2}}}}, {tcp: {destinationPort: {range: {start: 2, end: 2}}}}, {udp: {destinationPort: {number: 5, range: {start: 3, end: 70000}}}}, {sctp: {destinationPort: {range: {}}}}]"), []string{
			"spec.egress[0].protocols[1].tcp.destinationPort.range: Invalid value: Start port must be less than End port",
			"spec.egress[0].protocols[2].udp.destinationPort: Too many: 2: must have at most 1 item",
			"spec.egress[0].protocols[2].udp.destinationPort.range.end: Invalid value: 70000: spec.egress[0].protocols[2].udp.destinationPort.range.end in body should be less than or equal to 65535",
			"spec.egress[0].protocols[3].sctp.destinationPort.range.start: Invalid value: 0: spec.egress[0].protocols[3].sctp.destinationPort.range.start in body should be greater than or equal to 1",
			"spec.egress[0].protocols[3].sctp.destinationPort.range.end: Invalid value: 0: spec.egress[0].protocols[3].sctp.destinationPort.range.end in body should be greater than or equal to 1",
			"spec.egress[0].protocols[3].sctp.destinationPort.range: Invalid value: Start port must be less than End port",
		}},
		{"named port of networks", egress("{pods: {}}, {networks: [10.0.0.0/8]}", ", protocols: [{tcp: {destinationPort: {number: 1}}}, {destinationNamedPort: http}]"), []string{"spec.egress[0]: Invalid value: " + noNamedPorts}},
		{"named port of nodes", egress("{nodes: {}}", ", protocols: [{destinationNamedPort: http}]"), []string{"spec.egress[0]: Invalid value: " + noNamedPorts}},
		{"named port of domain names", egress("{domainNames: [a.b]}", ", protocols: [{destinationNamedPort: http}]"), []string{"spec.egress[0]: Invalid value: " + noNamedPorts}},
		{"named port of pods", egress("{pods: {}}, {namespaces: {}}, {}", ", protocols: [{destinationNamedPort: http}]"), nil},
	}, "metadata: {name: a}\nspec: %s", validate.ClusterNetworkPolicy)
	check(t, []refusal{
		{"networks of v1beta1", egress("{networks: [10.0.0.0/8, 10.0.0.1/8, 'fd00::1/8', 10.0.0.1/32]}", ""), []string{
			`spec.egress[0].to[0].networks[1]: Invalid value: "10.0.0.1/8": Invalid CIDR format provided`,
			`spec.egress[0].to[0].networks[2]: Invalid value: "fd00::1/8": Invalid CIDR format provided`,
		}},
	}, "apiVersion: policy.networking.k8s.io/v1beta1\nmetadata: {name: a}\nspec: %s", validate.ClusterNetworkPolicy)
}

func times(n int, s string) string {
	return strings.TrimSuffix(strings.Repeat(s+", ", n), ", ")
}

func TestAdminNetworkPolicy(t *testing.T) {
	const start = "priority: 1000, subject: {pods: {}}"
	check(t, []refusal{
		{"fine", "{" + start + ", ingress: [{action: Pass, from: [{namespaces: {}}, {}], ports: [{portNumber: {port: 80, protocol: SCTP}}, {namedPort: http}, {portRange: {start: 5, end: 5, protocol: TCP}}]}], egress: [{action: Allow, to: [{domainNames: [a.b]}, {networks: [10.0.0.0/8]}]}]}", nil},
		{"head", "{priority: 1001}", []string{
			"spec.priority: Invalid value: 1001: spec.priority in body should be less than or equal to 1000",
			"spec.subject: Invalid value: 0: spec.subject in body should have at least 1 properties",
		}},
		{"rules", "{" + start + ", ingress: [{name: " + strings.Repeat("a", 101) + ", action: Accept, from: [{namespaces: {}, pods: {}}]}, {ports: []}], egress: [{action: Deny, to: [{domainNames: [a.b]}]}, {}]}", []string{
			"spec.ingress[0].name: Too long: may not be more than 100 bytes",
			`spec.ingress[0].action: Unsupported value: "Accept": supported values: "Allow", "Deny", "Pass"`,
			"spec.ingress[0].from[0]: Too many: 2: must have at most 1 item",
			"spec.ingress[1].action: Required value",
			"spec.ingress[1].from: Required value",
			"spec.ingress[1].ports: Invalid value: 0: spec.ingress[1].ports in body should have at least 1 items",
			"spec.egress[0].to[0].domainNames: Forbidden: domainNames is only supported for Allow rules",
			"spec.egress[1].action: Required value",
			"spec.egress[1].to: Required value",
		}},
		{"counts", "{" + start + ", ingress: [" + times(101, "{}") + "], egress: [{action: Deny, to: [" + times(101, "{}") + "], ports: [" + times(101, "{}") + "]}, {action: Deny, to: [" + times(100, "{}") + "]}]}", []string{
			"spec.ingress: Too many: 101: must have at most 100 items",
			"spec.egress[0].to: Too many: 101: must have at most 100 items",
			"spec.egress[0].ports: Too many: 101: must have at most 100 items",
		}},
		{"ports", "{" + start + ", egress: [{action: Deny, to: [{}], ports: [{}, {namedPort: '', portNumber: {port: 0, protocol: TCP}}, {portNumber: {port: 1, protocol: ICMP}}, {portRange: {start: 0, end: 65536, protocol: x}}, {portRange: {start: 2, end: 1, protocol: UDP}}]}]}", []string{
			"spec.egress[0].ports[0]: Invalid value: 0: spec.egress[0].ports[0] in body should have at least 1 properties",
			"spec.egress[0].ports[1]: Too many: 2: must have at most 1 item",
			"spec.egress[0].ports[1].portNumber.port: Invalid value: 0: spec.egress[0].ports[1].portNumber.port in body should be greater than or equal to 1",
			`spec.egress[0].ports[2].portNumber.protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"`,
			`spec.egress[0].ports[3].portRange.protocol: Unsupported value: "x": supported values: "TCP", "UDP", "SCTP"`,
			"spec.egress[0].ports[3].portRange.start: Invalid value: 0: spec.egress[0].ports[3].portRange.start in body should be greater than or equal to 1",
			"spec.egress[0].ports[3].portRange.end: Invalid value: 65536: spec.egress[0].ports[3].portRange.end in body should be less than or equal to 65535",
			"spec.egress[0].ports[4].portRange: Invalid value: Start port must be less than End port",
		}},
		{"named ports", "{" + start + ", egress: [{action: Deny, to: [{}, {networks: [x]}], ports: [{namedPort: a}]}, {action: Deny, to: [{pods: {}}], ports: [{namedPort: a}]}]}", []string{
			`spec.egress[0].to[1].networks[0]: Invalid value: "x": Invalid CIDR format provided`,
			"spec.egress[0]: Invalid value: networks/nodes/domainNames peer cannot be set with namedPorts since there are no namedPorts for networks/nodes/domainNames",
		}},
	}, "metadata: {name: a}\nspec: %s", validate.AdminNetworkPolicy)
}

func TestBaselineAdminNetworkPolicy(t *testing.T) {
	const start = "metadata: {name: default}\nspec: {subject: {namespaces: {}}"
	check(t, []refusal{
		{"fine", start + ", ingress: [{action: Allow, from: [{}]}], egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}]}]}", nil},
		{"name", "metadata: {name: other}\nspec: {}", []string{
			`metadata.name: Invalid value: "other": Only one baseline admin network policy with metadata.name="default" can be created in the cluster`,
			"spec.subject: Invalid value: 0: spec.subject in body should have at least 1 properties",
		}},
		{"rules", start + ", ingress: [{name: " + strings.Repeat("a", 101) + ", action: Pass, from: [{namespaces: {}, pods: {}}]}, {ports: []}], egress: [{}, {name: " + strings.Repeat("a", 101) + ", action: Pass, to: [{nodes: {}, networks: []}]}]}", []string{
			"spec.ingress[0].name: Too long: may not be more than 100 bytes",
			`spec.ingress[0].action: Unsupported value: "Pass": supported values: "Allow", "Deny"`,
			"spec.ingress[0].from[0]: Too many: 2: must have at most 1 item",
			"spec.ingress[1].action: Required value",
			"spec.ingress[1].from: Required value",
			"spec.ingress[1].ports: Invalid value: 0: spec.ingress[1].ports in body should have at least 1 items",
			"spec.egress[0].action: Required value",
			"spec.egress[0].to: Required value",
			"spec.egress[1].name: Too long: may not be more than 100 bytes",
			`spec.egress[1].action: Unsupported value: "Pass": supported values: "Allow", "Deny"`,
			"spec.egress[1].to[0]: Too many: 2: must have at most 1 item",
			"spec.egress[1].to[0].networks: Invalid value: 0: spec.egress[1].to[0].networks in body should have at least 1 items",
		}},
		{"counts", start + ", ingress: [" + times(101, "{}") + "], egress: [" + times(101, "{}") + "]}", []string{
			"spec.ingress: Too many: 101: must have at most 100 items",
			"spec.egress: Too many: 101: must have at most 100 items",
		}},
		{"named ports", start + ", egress: [{action: Deny, to: [{nodes: {}}], ports: [{namedPort: a}]}, {action: Deny, to: [{}], ports: [{namedPort: a}]}]}", []string{
			"spec.egress[0]: Invalid value: networks/nodes peer cannot be set with namedPorts since there are no namedPorts for networks/nodes",
		}},
	}, "%s", validate.BaselineAdminNetworkPolicy)
}

// TestNothing asks for an answer where there is no policy at all.
func TestNothing(t *testing.T) {
	for name, errs := range map[string]field.ErrorList{
		"NetworkPolicy":              validate.NetworkPolicy(nil),
		"ClusterNetworkPolicy":       validate.ClusterNetworkPolicy(nil),
		"AdminNetworkPolicy":         validate.AdminNetworkPolicy(nil),
		"BaselineAdminNetworkPolicy": validate.BaselineAdminNetworkPolicy(nil),
		"empty":                      validate.ClusterNetworkPolicy(&policyv1beta1.ClusterNetworkPolicy{}),
		"a list that is not there":   validate.AdminNetworkPolicy(&policyv1alpha1.AdminNetworkPolicy{Spec: policyv1alpha1.AdminNetworkPolicySpec{Ingress: []policyv1alpha1.AdminNetworkPolicyIngressRule{{Ports: new([]policyv1alpha1.AdminNetworkPolicyPort)}}}}),
	} {
		if len(errs) == 0 {
			t.Errorf("%s: nothing passes", name)
		}
	}
}

// TestMany asks that a hostile policy has few errors, and that they are the first.
func TestMany(t *testing.T) {
	const n = 100_000
	p := &networkingv1.NetworkPolicy{}
	p.Name, p.Namespace = "a", "x"
	p.Spec.PodSelector.MatchLabels = map[string]string{}
	for i := range n {
		p.Spec.PodSelector.MatchLabels[fmt.Sprintf("a %d", i)] = ""
	}
	p.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{From: make([]networkingv1.NetworkPolicyPeer, n)}}
	first := validate.NetworkPolicy(p)
	p.Spec.PodSelector.MatchLabels = nil
	second := validate.NetworkPolicy(p)
	if len(first) != 100 || !strings.Contains(first[1].Error(), `"a 1"`) {
		t.Errorf("%d errors: %v", len(first), first[1])
	}
	if len(second) != 100 || second[99].Field != "spec.ingress[0].from[99]" {
		t.Errorf("%d errors: %v", len(second), second[len(second)-1])
	}
}

func TestParseCIDR(t *testing.T) {
	for s, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "10.1.2.3/8": "10.0.0.0/8", "010.001.0.0/016": "10.1.0.0/16", "0.0.0.0/0": "0.0.0.0/0", "1.2.3.4/32": "1.2.3.4/32",
		"FD00:0::1/8": "fd00::/8", "::/0": "::/0", "::1/128": "::1/128", "::ffff:10.1.2.3/112": "10.1.0.0/16", "::ffff:10.1.2.3/96": "0.0.0.0/0", "::ffff:10.1.2.3/90": "::ffc0:0:0/90",
		"": "", "x": "", "10.0.0.0": "", "10.0.0.0/33": "", "10.0.0.0/-1": "", "fe80::1%e/64": "", " 10.0.0.0/8": "", "10.0.0.0/8 ": "",
	} {
		p, ok := validate.ParseCIDR(s)
		if ok != (want != "") || ok && p.String() != want {
			t.Errorf("%q: %v, %v, want %q", s, p, ok, want)
		}
		if ok && p != p.Masked() {
			t.Errorf("%q: %v has host bits", s, p)
		}
	}
}
