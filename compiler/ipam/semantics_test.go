package ipam_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
)

// load reads manifests, in which a line "cilium NAME SPEC", "metallb NAME SPEC" or
// "service NAME SPEC" with a flow mapping stands for a whole object.
func load(t *testing.T, text string) *objects.Set {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, spec, _ := strings.Cut(rest, " ")
		meta, age := name, ""
		if n, created, found := strings.Cut(name, "@"); found {
			meta, age = n, ", creationTimestamp: 2026-01-0"+created+"T00:00:00Z"
		}
		switch word {
		case "":
		case "cilium":
			fmt.Fprintf(&b, "---\napiVersion: cilium.io/v2\nkind: CiliumLoadBalancerIPPool\nmetadata: {name: %s%s}\nspec: %s\n", meta, age, spec)
		case "metallb":
			fmt.Fprintf(&b, "---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {namespace: metallb-system, name: %s%s}\nspec: %s\n", meta, age, spec)
		case "namespace":
			fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: %s}\n", meta, spec)
		case "node":
			fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Node\nmetadata: {name: %s}\nstatus: {addresses: [{type: Hostname, address: %s}, {type: InternalIP, address: %s}]}\n", meta, meta, spec)
		case "service":
			b.WriteString(service(meta, age, spec))
		default:
			t.Fatalf("%q: what is it", line)
		}
	}
	set, diags, err := manifest.LoadFrom(context.Background(), "input.yaml", strings.NewReader(b.String()))
	if err != nil || len(diags) > 0 {
		t.Fatalf("%v %v\n%s", err, diags, b.String())
	}
	return &set
}

// service is a Service of a line: "SPEC", or "METADATA | SPEC | STATUS" with flow mappings.
func service(name, age, line string) string {
	ns, name, found := strings.Cut(name, "/")
	if !found {
		ns, name = "default", ns
	}
	parts := strings.Split(line, " | ")
	meta, spec, status := "", parts[0], "{}"
	if len(parts) > 1 {
		meta, spec = ", "+parts[0], parts[1]
		if strings.TrimSpace(parts[0]) == "" {
			meta = ""
		}
	}
	if len(parts) > 2 {
		status = parts[2]
	}
	spec = strings.TrimSuffix(strings.TrimPrefix(spec, "{"), "}")
	if !strings.Contains(spec, "ports:") {
		spec = strings.TrimPrefix(spec+", ports: [{port: 80}]", ", ")
	}
	if !strings.Contains(spec, "type:") {
		spec += ", type: LoadBalancer"
	}
	return fmt.Sprintf("---\napiVersion: v1\nkind: Service\nmetadata: {namespace: %s, name: %s%s%s}\nspec: {%s}\nstatus: %s\n", ns, name, age, meta, spec, status)
}

// describe writes a result as "NAME address (cause) ..., why not".
func describe(r *ipam.Result) string {
	var b strings.Builder
	for i := range r.Services {
		a := &r.Services[i]
		b.WriteString(strings.TrimPrefix(a.Service.String(), "default/"))
		if a.Outcome != ipam.Served {
			b.WriteString(" " + strings.ReplaceAll(a.Outcome.String(), " ", "-"))
		}
		for _, x := range a.Addresses {
			fmt.Fprintf(&b, " %s=%s", x.Addr, x.Cause)
		}
		for _, l := range a.Lost {
			fmt.Fprintf(&b, " -%s(%s)", l.Addr, l.Why)
		}
		for _, f := range a.Findings {
			fmt.Fprintf(&b, " %s", f.Code)
		}
		b.WriteString("\n")
	}
	return b.String()
}

const condition = "conditions: [{type: planec.io/AddressesAllocated, status: \"True\", reason: Allocated, message: \"192.0.2.255, 203.0.113.4, 192.0.2.4, 192.0.2.5; more\", lastTransitionTime: 2026-01-01T00:00:00Z}]"

func status(more string, addrs ...string) string {
	var in []string
	for _, a := range addrs {
		in = append(in, "{ip: \""+a+"\"}")
	}
	return "{loadBalancer: {ingress: [" + strings.Join(in, ", ") + "]}" + more + "}"
}

func TestAllocate(t *testing.T) {
	dual := "ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv4, IPv6]"
	prefer := "ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6, IPv4]"
	tests := []struct{ name, input, want string }{
		{
			"the oldest Service first, then by name", "cilium p {blocks: [{cidr: 192.0.2.0/30}]}\nservice b@1 {}\nservice a@2 {}\nservice d {}\nservice c {}",
			"a 192.0.2.1=new\nb 192.0.2.0=new\nc 192.0.2.2=new\nd 192.0.2.3=new\n",
		},
		{"exhausted", "cilium p {blocks: [{start: 192.0.2.7}]}\nservice a {}\nservice b {}", "a 192.0.2.7=new\nb PLC0133\n"},
		{
			"first and last of a CIDR are reserved", "cilium p {allowFirstLastIPs: \"No\", blocks: [{cidr: 192.0.2.0/30}, {cidr: 192.0.2.8/31}, {start: 192.0.2.20, stop: 192.0.2.22}]}\nservice a {}\nservice b {}\nservice c {}\nservice d {}\nservice e {}",
			"a 192.0.2.1=new\nb 192.0.2.2=new\nc 192.0.2.8=new\nd 192.0.2.9=new\ne 192.0.2.20=new\n",
		},
		{
			"who has a reserved one keeps it, who asks does not get it", "cilium p {allowFirstLastIPs: \"No\", blocks: [{cidr: 192.0.2.0/28}]}\nservice a  | {} | " + status("", "192.0.2.0") + "\nservice b {loadBalancerIP: 192.0.2.15}",
			"a 192.0.2.0=kept\nb PLC0135\n",
		},
		{
			"buggy addresses", "metallb p {avoidBuggyIPs: true, addresses: [192.0.2.254-192.0.3.1]}\nservice a {}\nservice b {}\nservice c {}\nservice d {loadBalancerIP: 192.0.2.255}",
			"a 192.0.2.254=new\nb 192.0.3.1=new\nc PLC0133\nd PLC0135\n",
		},
		{
			"buggy addresses are not kept", "metallb p {avoidBuggyIPs: true, addresses: [192.0.2.0/24]}\nservice a  | {} | " + status(", "+condition, "192.0.2.255"),
			"a 192.0.2.1=new -192.0.2.255(no pool has it any more)\n",
		},
		{"a selector", "cilium p {serviceSelector: {matchLabels: {zone: a}}, blocks: [{cidr: 192.0.2.0/30}]}\nservice a labels: {zone: a} | {}\nservice b {}", "a 192.0.2.0=new\nb PLC0134\n"},
		{
			"special keys", "cilium p {serviceSelector: {matchLabels: {io.kubernetes.service.namespace: shop, io.kubernetes.service.name: web}}, blocks: [{cidr: 192.0.2.0/30}]}\nservice shop/web {}\nservice shop/b {}\nservice pay/web {}",
			"pay/web PLC0134\nshop/b PLC0134\nshop/web 192.0.2.0=new\n",
		},
		{"a wrong selector selects nothing", "cilium p {serviceSelector: {matchExpressions: [{key: a, operator: Near}]}, blocks: [{cidr: 192.0.2.0/30}]}\nservice a {}", "a PLC0134\n"},
		{"disabled", "cilium p {disabled: true, blocks: [{cidr: 192.0.2.0/30}]}\nservice a {}\nservice b  | {} | " + status("", "192.0.2.1"), "a PLC0134\nb 192.0.2.1=kept\n"},
		{
			"only on request", "metallb p {autoAssign: false, addresses: [192.0.2.0/30]}\nservice a {}\nservice b annotations: {metallb.io/address-pool: p} | {}\nservice c {loadBalancerIP: 192.0.2.2}\nservice d  | {} | " + status("", "192.0.2.3"),
			"a PLC0134\nb 192.0.2.0=new\nc 192.0.2.2=requested\nd 192.0.2.3=kept\n",
		},
		{
			"an unknown pool, and a pool that does not select", "metallb p {addresses: [192.0.2.0/30], serviceAllocation: {namespaces: [shop]}}\nservice a annotations: {metallb.universe.tf/address-pool: p} | {}\nservice b annotations: {metallb.io/address-pool: q} | {}",
			"a PLC0134\nb PLC0134\n",
		},
		{
			"another pool than before", "metallb p {addresses: [192.0.2.0/30]}\nmetallb q {addresses: [198.51.100.0/30]}\nservice a annotations: {metallb.io/address-pool: q} | {} | " + status("", "192.0.2.1"),
			"a 198.51.100.0=new -192.0.2.1(the Service asks for the pool \"q\")\n",
		},
		{
			"priorities: pinned pools by number, 0 last, then all others", "metallb a {addresses: [192.0.2.1/32]}\nmetallb b {addresses: [192.0.2.2/32], serviceAllocation: {priority: 0}}\nmetallb c {addresses: [192.0.2.3/32], serviceAllocation: {priority: 20}}\nmetallb d {addresses: [192.0.2.4/32], serviceAllocation: {priority: 3}}\nservice a {}\nservice b {}\nservice c {}\nservice d {}\nservice e {}",
			"a 192.0.2.4=new\nb 192.0.2.3=new\nc 192.0.2.2=new\nd 192.0.2.1=new\ne PLC0133\n",
		},
		{
			"namespaces, their labels and Services' labels", "namespace shop {team: x}\nnamespace pay {team: z}\nmetallb p {addresses: [192.0.2.0/28], serviceAllocation: {namespaces: [lab], namespaceSelectors: [{matchLabels: {team: x}}], serviceSelectors: [{matchLabels: {out: \"yes\"}}, {matchLabels: {out: maybe}}]}}\nservice shop/a labels: {out: \"yes\"} | {}\nservice shop/b {}\nservice pay/c labels: {out: \"yes\"} | {}\nservice lab/d labels: {out: maybe} | {}",
			"lab/d 192.0.2.0=new\npay/c PLC0134\nshop/a 192.0.2.1=new\nshop/b PLC0134\n",
		},
		{"both families of one pool of MetalLB", "metallb a {addresses: [192.0.2.0/30]}\nmetallb b {addresses: [198.51.100.0/30, \"fd00::/126\"]}\nservice a {" + dual + "}\nservice b {}", "a 198.51.100.0=new fd00::=new\nb 192.0.2.0=new\n"},
		{"each family of its own pool of Cilium", "cilium a {blocks: [{cidr: 192.0.2.0/30}]}\ncilium b {blocks: [{cidr: 198.51.100.0/30}, {cidr: \"fd00::/126\"}]}\nservice a {" + dual + "}", "a 192.0.2.0=new fd00::=new\n"},
		{"a family that no pool has", "cilium a {blocks: [{cidr: 192.0.2.0/30}]}\nservice a {" + dual + "}\nservice b {" + prefer + "}\nservice c {ipFamilies: [IPv6]}", "a 192.0.2.0=new PLC0134\nb 192.0.2.1=new\nc PLC0134\n"},
		{"a second family later", "metallb a {addresses: [192.0.2.0/30]}\nmetallb b {addresses: [198.51.100.0/30, \"fd00::/126\"]}\nmetallb c {addresses: [\"fd01::/126\"]}\nservice a  | {" + dual + "} | " + status("", "198.51.100.3"), "a 198.51.100.3=kept fd00::=new\n"},
		{"a family less", "cilium a {blocks: [{cidr: 192.0.2.0/30}, {cidr: \"fd00::/126\"}]}\nservice a  | {ipFamilies: [IPv6]} | " + status("", "192.0.2.3", "fd00::1"), "a fd00::1=kept -192.0.2.3(the Service has no addresses of ipv4 any more)\n"},
		{
			"asked for, in all ways", "cilium p {blocks: [{cidr: 192.0.2.0/24}]}\nservice a {loadBalancerIP: 192.0.2.9}\nservice b annotations: {lbipam.cilium.io/ips: \"192.0.2.8, 192.0.2.7\"} | {}\nservice c annotations: {metallb.io/loadBalancerIPs: 192.0.2.6} | {}\nservice d annotations: {metallb.universe.tf/loadBalancerIPs: 192.0.2.5} | {}\nservice e annotations: {io.cilium/lb-ipam-ips: \"::ffff:192.0.2.4\"} | {}",
			"a 192.0.2.9=requested\nb 192.0.2.8=requested 192.0.2.7=requested\nc 192.0.2.6=requested\nd 192.0.2.5=requested\ne 192.0.2.4=requested\n",
		},
		{
			"asked for, and not to be had", "cilium p {serviceSelector: {matchLabels: {zone: a}}, blocks: [{cidr: 192.0.2.0/24}]}\nservice a {loadBalancerIP: 203.0.113.1}\nservice b {loadBalancerIP: 192.0.2.1}\nservice c labels: {zone: a} | {loadBalancerIP: \"fd00::1\"}\nservice d labels: {zone: a} | {loadBalancerIP: 192.0.2.3}\nservice e labels: {zone: a} | {loadBalancerIP: 192.0.2.3}\nservice f labels: {zone: a} | {loadBalancerIP: 192.0.2.300}",
			"a PLC0135\nb PLC0135\nc PLC0135\nd 192.0.2.3=requested\ne PLC0135\nf PLC0137\n",
		},
		{"a slip keeps what there is", "cilium p {blocks: [{cidr: 192.0.2.0/24}]}\nservice a  | {loadBalancerIP: 192.0.2.300} | " + status("", "192.0.2.30"), "a 192.0.2.30=kept PLC0137\n"},
		{"a slip gives nothing new", "cilium p {blocks: [{cidr: 192.0.2.0/24}]}\nservice a annotations: {lbipam.cilium.io/ips: \"192.0.2.30, x\"} | {}", "a PLC0137\n"},
		{
			"asked for goes before the free, and after the kept", "cilium p {blocks: [{cidr: 192.0.2.0/30}]}\nservice a {}\nservice b {loadBalancerIP: 192.0.2.0}\nservice c {loadBalancerIP: 192.0.2.2}\nservice d  | {} | " + status("", "192.0.2.2"),
			"a 192.0.2.1=new\nb 192.0.2.0=requested\nc PLC0135\nd 192.0.2.2=kept\n",
		},
		{"another address is asked for", "cilium p {blocks: [{cidr: 192.0.2.0/24}]}\nservice a  | {loadBalancerIP: 192.0.2.5} | " + status("", "192.0.2.2"), "a 192.0.2.5=requested -192.0.2.2(the Service asks for another address)\n"},
		{
			"a key of Cilium", "cilium p {blocks: [{cidr: 192.0.2.0/28}]}\nservice a annotations: {lbipam.cilium.io/sharing-key: k} | {}\nservice b annotations: {lbipam.cilium.io/sharing-key: k} | {ports: [{port: 81}]}\nservice c annotations: {lbipam.cilium.io/sharing-key: k} | {ports: [{port: 81}]}\nservice d annotations: {lbipam.cilium.io/sharing-key: k} | {ports: [{port: 81, protocol: UDP}]}\nservice shop/e annotations: {lbipam.cilium.io/sharing-key: k} | {ports: [{port: 82}]}",
			"a 192.0.2.0=new\nb 192.0.2.0=shared\nc 192.0.2.1=new\nd 192.0.2.0=shared\nshop/e 192.0.2.2=new\n",
		},
		{
			"across namespaces, if both say so", "cilium p {blocks: [{cidr: 192.0.2.0/28}]}\nservice a annotations: {lbipam.cilium.io/sharing-key: k, lbipam.cilium.io/sharing-cross-namespace: \"shop, pay\"} | {}\nservice shop/b annotations: {lbipam.cilium.io/sharing-key: k, lbipam.cilium.io/sharing-cross-namespace: \"*\"} | {ports: [{port: 81}]}\nservice pay/c annotations: {lbipam.cilium.io/sharing-key: k} | {ports: [{port: 82}]}",
			"a 192.0.2.0=new\npay/c 192.0.2.1=new\nshop/b 192.0.2.0=shared\n",
		},
		{
			"a key of MetalLB counts everywhere", "metallb p {addresses: [192.0.2.0/28]}\nservice a annotations: {metallb.io/allow-shared-ip: k} | {}\nservice shop/b annotations: {metallb.universe.tf/allow-shared-ip: k} | {ports: [{port: 81}]}\nservice c annotations: {lbipam.cilium.io/sharing-key: k} | {ports: [{port: 82}]}",
			"a 192.0.2.0=new\nc 192.0.2.1=new\nshop/b 192.0.2.0=shared\n",
		},
		{
			"traffic policies", "metallb p {addresses: [192.0.2.0/28]}\nservice a annotations: {metallb.io/allow-shared-ip: k, metallb.io/loadBalancerIPs: 192.0.2.1} | {externalTrafficPolicy: Local, selector: {a: b}}\nservice b annotations: {metallb.io/allow-shared-ip: k, metallb.io/loadBalancerIPs: 192.0.2.1} | {ports: [{port: 81}]}\nservice c annotations: {metallb.io/allow-shared-ip: k, metallb.io/loadBalancerIPs: 192.0.2.1} | {externalTrafficPolicy: Local, selector: {a: c}, ports: [{port: 82}]}\nservice d annotations: {metallb.io/allow-shared-ip: k, metallb.io/loadBalancerIPs: 192.0.2.1} | {externalTrafficPolicy: Local, selector: {a: b}, ports: [{port: 83}]}",
			"a 192.0.2.1=requested\nb PLC0136\nc PLC0136\nd 192.0.2.1=requested\n",
		},
		{
			"classes", "cilium p {blocks: [{cidr: 192.0.2.0/28}]}\nservice a {loadBalancerClass: io.cilium/l2-announcer}\nservice b {loadBalancerClass: example.com/lb}\nservice c  | {loadBalancerClass: example.com/lb} | " + status("", "192.0.2.0"),
			"a 192.0.2.1=new\nb other-class\nc other-class 192.0.2.0=of another controller\n",
		},
		{
			"an older Service goes on with an address that another controller gives a younger one", "cilium p {blocks: [{cidr: 192.0.2.0/28}]}\nservice b@1  | {} | " + status("", "192.0.2.4") + "\nservice a@2  | {loadBalancerClass: example.com/lb} | " + status("", "192.0.2.4"),
			"a other-class 192.0.2.4=of another controller PLC0138\nb 192.0.2.4=kept\n",
		},
		{
			"a younger Service leaves an address to an older one of another controller", "cilium p {blocks: [{cidr: 192.0.2.0/28}]}\nservice b@2  | {} | " + status("", "192.0.2.4") + "\nservice a@1  | {loadBalancerClass: example.com/lb} | " + status("", "192.0.2.4"),
			"a other-class 192.0.2.4=of another controller\nb 192.0.2.0=new -192.0.2.4(Service default/a has it: planec does not serve that Service)\n",
		},
		{
			"addresses of Nodes are kept, not given", "cilium p {blocks: [{cidr: 192.0.2.0/28}]}\nnode node-a 192.0.2.0\nnode node-b 192.0.2.2\nservice a {}\nservice b  | {} | " + status("", "192.0.2.2") + "\nservice c {loadBalancerIP: 192.0.2.0}",
			"a 192.0.2.1=new\nb 192.0.2.2=kept\nc PLC0135\n",
		},
		{
			"a status of another controller", "cilium p {blocks: [{cidr: 192.0.2.0/28}]}\nservice a  | {} | " + status("", "203.0.113.4") + "\nservice b  | {} | {loadBalancer: {ingress: [{hostname: lb.example.com}]}}\nservice c  | {} | " + status(", "+condition, "203.0.113.4") + "\nservice d  | {} | " + status(", "+condition, "203.0.113.9"),
			"a foreign 203.0.113.4=of another controller PLC0138\nb foreign PLC0138\nc 192.0.2.0=new -203.0.113.4(no pool has it any more)\nd foreign 203.0.113.9=of another controller PLC0138\n",
		},
		{
			"not served any more", "cilium p {blocks: [{cidr: 192.0.2.0/28}]}\nservice a  | {type: ClusterIP} | " + status(", "+condition, "192.0.2.4") + "\nservice b  | {loadBalancerClass: example.com/lb} | " + status(", "+condition, "192.0.2.5") + "\nservice c {type: ClusterIP}",
			"a released -192.0.2.4(the Service is not served any more)\nb released -192.0.2.5(the Service is not served any more)\n",
		},
		{
			"two with one address", "cilium p {blocks: [{cidr: 192.0.2.0/28}]}\nservice b@1  | {} | " + status("", "192.0.2.4") + "\nservice a@2  | {} | " + status("", "192.0.2.4"),
			"a 192.0.2.0=new -192.0.2.4(Service default/b has it: neither has a sharing key)\nb 192.0.2.4=kept\n",
		},
		{
			"the younger of two pools that overlap gives nothing new", "cilium p@2 {blocks: [{cidr: 192.0.2.0/28}]}\nmetallb q@1 {addresses: [192.0.2.8-192.0.2.20]}\nservice a {}\nservice b  | {} | " + status("", "192.0.2.1") + "\nservice c {loadBalancerIP: 192.0.2.3}",
			"a 192.0.2.8=new\nb 192.0.2.1=kept\nc PLC0135\n",
		},
		{"a pool that overlaps itself", "cilium p {blocks: [{cidr: 192.0.2.0/28}, {cidr: 192.0.2.0/30}]}\nservice a {}", "a PLC0134\n"},
		{"a wrong part of a pool", "metallb p {addresses: [192.0.2.20-192.0.2.10, \"fd00::1-192.0.2.1\", 127.0.0.0/8, 0.0.0.0/0, \"fe80::/64\", 192.0.2.300, \"::/90\", \"::ffff:192.0.2.128/126\", \"fd00::1%eth0-fd00::2\"]}\nservice a {}", "a 192.0.2.128=new\n"},
		{"networks that cannot be written out", "cilium p {blocks: [{cidr: 10.0.0.0/8}, {cidr: \"fd00::/8\"}]}\nservice a {" + dual + "}", "a 10.0.0.0=new fd00::=new\n"},
		{"a Service that is being deleted keeps and gets nothing", "cilium p {blocks: [{cidr: 192.0.2.0/28}]}\nservice a deletionTimestamp: 2026-01-01T00:00:00Z | {} | " + status("", "192.0.2.3") + "\nservice b deletionTimestamp: 2026-01-01T00:00:00Z | {}", "a 192.0.2.3=kept\nb\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set := load(t, tt.input)
			r := ipam.Allocate(set, ipam.Settings{})
			if got := describe(&r); got != tt.want {
				t.Errorf("got\n%swant\n%s%v", got, tt.want, r.Diagnostics)
			}
			slices.Reverse(set.Services)
			slices.Reverse(set.CiliumPools)
			slices.Reverse(set.MetalLBPools)
			if again := ipam.Allocate(set, ipam.Settings{}); describe(&again) != tt.want {
				t.Errorf("in another order\n%s", describe(&again))
			}
		})
	}
}

// TestFree counts without writing addresses out.
func TestFree(t *testing.T) {
	tests := []struct {
		pool       string
		four, six  uint64
		services   int
		usedInPool uint64
	}{
		{"cilium p {blocks: [{cidr: 192.0.2.0/24}]}", 254, 0, 2, 2},
		{"cilium p {allowFirstLastIPs: \"No\", blocks: [{cidr: 192.0.2.0/24}]}", 252, 0, 2, 2},
		{"metallb p {avoidBuggyIPs: true, addresses: [10.0.0.0/8]}", 1<<24 - 2<<16 - 2, 0, 2, 2},
		{"cilium p {blocks: [{cidr: 192.0.2.0/31}, {cidr: \"fd00::/64\"}]}", 0, 1<<64 - 1, 2, 2},
		{"cilium p {blocks: [{cidr: \"fd00::/65\"}]}", 0, 1 << 63, 0, 0},
	}
	for _, tt := range tests {
		text := tt.pool
		for i := range tt.services {
			text += fmt.Sprintf("\nservice s%d {}", i)
		}
		r := ipam.Allocate(load(t, text), ipam.Settings{})
		if got := r.Pools[0]; got.Free != [2]uint64{tt.four, tt.six} || got.Used[0]+got.Used[1] != tt.usedInPool {
			t.Errorf("%s: %+v", tt.pool, got)
		}
	}
}
