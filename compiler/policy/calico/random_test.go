package calico_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/calicov3"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/compiler/policy/calico"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var clusters = flag.Int("clusters", 60, "how many random clusters to judge")

// TestRandom holds the rules of random clusters against [oracle], packet by packet.
func TestRandom(t *testing.T) {
	packets, denied := 0, 0
	for seed := range *clusters {
		g := generator{rand.New(rand.NewPCG(uint64(seed), 7))}
		set := g.cluster()
		model, _ := policy.Analyze(set, policy.Settings{})
		evaluators := make(map[string]*eval.Evaluator)
		for _, node := range []string{"node-a", "node-b"} {
			p := lowered(model, node)
			if err := ir.Verify(p); err != nil {
				t.Fatalf("cluster %d: %v\n%s", seed, err, written(set))
			}
			evaluators[node] = eval.New(p)
		}
		o := newOracle(set)
		n, no, wrong := compare(set, o, evaluators)
		packets, denied = packets+n, denied+no
		if wrong != "" {
			t.Fatalf("cluster %d: %s\n%s", seed, wrong, written(set))
		}
	}
	if denied*20 < packets || denied*20 > packets*19 {
		t.Errorf("%d of %d packets are denied: the clusters say too little", denied, packets)
	}
	t.Logf("%d packets, %d denied", packets, denied)
}

// questions are the packets between two addresses.
func questions(v6 bool) []eval.Transport {
	var out []eval.Transport
	for _, p := range []ir.Protocol{ir.TCP, ir.UDP, ir.SCTP} {
		for _, port := range []uint16{53, 80, 8080, 8081} {
			out = append(out, eval.Transport{Protocol: p, Port: port, SourcePort: 40000}, eval.Transport{Protocol: p, Port: port, SourcePort: 8080})
		}
	}
	icmp := ir.ICMP
	if v6 {
		icmp = ir.ICMPv6
	}
	return append(out, eval.Transport{Protocol: icmp, Port: ir.TypeAndCode(8, 0)}, eval.Transport{Protocol: icmp, Port: ir.TypeAndCode(8, 1)},
		eval.Transport{Protocol: icmp, Port: ir.TypeAndCode(3, 1)}, eval.Transport{Protocol: 47})
}

func compare(set *objects.Set, o *oracle, evaluators map[string]*eval.Evaluator) (packets, denied int, wrong string) {
	far := []string{"198.51.100.10", "198.51.100.77", "203.0.113.5", "10.0.0.1", "2001:db8:1::5"}
	for _, p := range set.Pods {
		for _, ip := range p.Object.Status.PodIPs {
			far = append(far, ip.IP)
		}
	}
	for _, p := range set.Pods {
		for _, ip := range p.Object.Status.PodIPs {
			a := netip.MustParseAddr(ip.IP)
			for _, text := range far {
				b := netip.MustParseAddr(text)
				if a == b || ir.FamilyOf(a) != ir.FamilyOf(b) {
					continue
				}
				for _, q := range questions(a.Is6()) {
					for _, d := range ir.Directions() {
						src, dst := a, b
						if d == ir.Ingress {
							src, dst = b, a
						}
						got, _ := evaluators[p.Object.Spec.NodeName].Judge(d, a, b, q)
						want := o.allows(d, p.Object, src, dst, q)
						if packets++; !want {
							denied++
						}
						if got.Accept != want {
							return packets, denied, fmt.Sprintf("%v of %s (%v) with %v, %v from port %d: %v, want allowed %v", d, p.Object.Name, a, b, q, q.SourcePort, got, want)
						}
					}
				}
			}
		}
	}
	return packets, denied, ""
}

// written is a cluster for people.
func written(set *objects.Set) string {
	out := ""
	for _, l := range set.Lists() {
		for o := range l.All() {
			text, _ := yaml.Marshal(o.Object) // a failing test's words
			out += "--- " + l.Kind() + "\n" + string(text)
		}
	}
	return out
}

type generator struct{ *rand.Rand }

func pick[T any](g generator, of ...T) T { return of[g.IntN(len(of))] }

// maybe returns a value or the zero value.
func maybe[T any](g generator, one int, of ...T) (out T) {
	if g.IntN(one) == 0 {
		return pick(g, of...)
	}
	return out
}

func (g generator) cluster() *objects.Set {
	set := &objects.Set{}
	for _, name := range []string{"shop", "pay"} {
		set.Namespaces = append(set.Namespaces, sourced(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": pick(g, "alpha", "beta")}}}))
		set.ServiceAccounts = append(set.ServiceAccounts, sourced(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "keeper", Namespace: name, Labels: map[string]string{"rank": pick(g, "gold", "tin")}}}))
	}
	for i := range 5 {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("p%d", i), Namespace: pick(g, "shop", "pay"), Labels: map[string]string{"app": pick(g, "web", "db")}}}
		if tier := maybe(g, 2, "front", "back"); tier != "" {
			p.Labels["tier"] = tier
		}
		p.Spec.NodeName, p.Spec.ServiceAccountName = pick(g, "node-a", "node-b"), maybe(g, 2, "keeper")
		p.Spec.Containers = []corev1.Container{{Ports: g.containerPorts()}}
		p.Spec.InitContainers = []corev1.Container{{Ports: g.containerPorts()}}
		p.Status.PodIPs = []corev1.PodIP{{IP: fmt.Sprintf("10.1.%d.10", i)}, {IP: fmt.Sprintf("fd01::%d:10", i)}}
		switch g.IntN(6) {
		case 0:
			p.Status.PodIPs = p.Status.PodIPs[:1]
		case 1:
			p.Status.PodIPs = p.Status.PodIPs[1:]
		}
		set.Pods = append(set.Pods, sourced(p))
	}
	g.sets(set)
	tcp, udp := corev1.ProtocolTCP, corev1.ProtocolUDP
	one, two := int32(8080), int32(53)
	set.EndpointSlices = append(set.EndpointSlices, sourced(&discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "front-1", Namespace: "shop", Labels: map[string]string{"kubernetes.io/service-name": "front"}},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"10.1.0.10"}}, {Addresses: []string{"198.51.100.10"}}},
		Ports:      []discoveryv1.EndpointPort{{Port: &one, Protocol: &tcp}, {Port: &two, Protocol: &udp}},
	}))
	for i := range 1 + g.IntN(4) {
		g.policy(set, i)
	}
	return set
}

func (g generator) containerPorts() (out []corev1.ContainerPort) {
	for range g.IntN(3) {
		out = append(out, corev1.ContainerPort{Name: pick(g, "http", "dns"), ContainerPort: pick[int32](g, 80, 8080, 8081, 53), Protocol: pick(g, corev1.ProtocolTCP, corev1.ProtocolUDP)})
	}
	return out
}

func (g generator) sets(set *objects.Set) {
	for i := range 3 {
		meta := metav1.ObjectMeta{Name: fmt.Sprintf("s%d", i), Labels: map[string]string{"kind": pick(g, "bad", "partner")}}
		if app := maybe(g, 3, "web"); app != "" {
			meta.Labels["app"] = app
		}
		spec := calicov3.NetworkSetSpec{Nets: []string{pick(g, "198.51.100.0/25", "10.1.0.0/23", "10.1.3.10/32", "2001:db8::/32")}}
		if more := maybe(g, 2, "fd01::/64", "203.0.113.0/24", "fd01::2:10/128"); more != "" {
			spec.Nets = append(spec.Nets, more)
		}
		if i == 0 {
			set.CalicoGlobalNetworkSets = append(set.CalicoGlobalNetworkSets, sourced(&calicov3.GlobalNetworkSet{ObjectMeta: meta, Spec: spec}))
		} else {
			meta.Namespace = pick(g, "shop", "pay")
			set.CalicoNetworkSets = append(set.CalicoNetworkSets, sourced(&calicov3.NetworkSet{ObjectMeta: meta, Spec: spec}))
		}
	}
	order := pick(g, 500.0, 1_000_000, 2_000_000)
	tier := &calicov3.Tier{ObjectMeta: metav1.ObjectMeta{Name: pick(g, "a", "up")}, Spec: calicov3.TierSpec{DefaultAction: maybe(g, 2, "Pass")}}
	if g.IntN(3) > 0 {
		tier.Spec.Order = &order
	}
	set.CalicoTiers = append(set.CalicoTiers, sourced(tier))
}

func (g generator) selector() string {
	return pick(g, "app == 'web'", "app == 'db'", "has(tier)", "!has(tier)", "tier != 'back'", "kind == 'bad'", "all()", "!all()", "app in {'web'} || kind == 'partner'", "kind != 'bad' && app != 'web'")
}

// policy adds a policy that validation accepts.
func (g generator) policy(set *objects.Set, i int) {
	for range 1000 {
		order := pick(g, 1.0, 2, 2, -1.5)
		spec := calicov3.PolicySpec{Tier: maybe(g, 3, set.CalicoTiers[0].Object.Name, "kube-baseline"), Selector: maybe(g, 2, g.selector()), ServiceAccountSelector: maybe(g, 5, "rank == 'gold'", "all()", "projectcalico.org/name == 'keeper'")}
		if g.IntN(3) > 0 {
			spec.Order = &order
		}
		spec.Types = pick(g, []string{"Ingress"}, []string{"Egress"}, []string{"Ingress", "Egress"})
		for range g.IntN(4) {
			spec.Ingress = append(spec.Ingress, g.rule())
		}
		for range g.IntN(4) {
			spec.Egress = append(spec.Egress, g.rule())
		}
		meta := metav1.ObjectMeta{Name: fmt.Sprintf("p%d", i)}
		if g.IntN(2) == 0 {
			meta.Namespace = pick(g, "shop", "pay")
			p := &calicov3.NetworkPolicy{ObjectMeta: meta, Spec: spec}
			if len(calico.ValidateNetworkPolicy(p)) == 0 {
				set.CalicoNetworkPolicies = append(set.CalicoNetworkPolicies, sourced(p))
				return
			}
			continue
		}
		p := &calicov3.GlobalNetworkPolicy{ObjectMeta: meta, Spec: calicov3.GlobalPolicySpec{PolicySpec: spec, NamespaceSelector: maybe(g, 3, "team == 'alpha'", "all()", "projectcalico.org/name != 'pay'")}}
		if len(calico.ValidateGlobalNetworkPolicy(p)) == 0 {
			set.CalicoGlobalNetworkPolicies = append(set.CalicoGlobalNetworkPolicies, sourced(p))
			return
		}
	}
}

func (g generator) rule() calicov3.Rule {
	r := calicov3.Rule{Action: pick(g, "Allow", "Allow", "Allow", "Deny", "Deny", "Pass", "Log"), Source: g.entity(), Destination: g.entity()}
	if g.IntN(2) == 0 {
		p := pick(g, intstr.FromString("TCP"), intstr.FromString("TCP"), intstr.FromString("UDP"), intstr.FromString("ICMP"), intstr.FromString("ICMPv6"), intstr.FromInt32(17), intstr.FromInt32(47))
		r.Protocol = &p
	}
	if g.IntN(6) == 0 {
		p := pick(g, intstr.FromString("TCP"), intstr.FromString("UDP"), intstr.FromString("ICMP"))
		r.NotProtocol = &p
	}
	if g.IntN(6) == 0 {
		v := pick(g, 4, 6)
		r.IPVersion = &v
	}
	kind, code := pick(g, 8, 3), pick(g, 0, 1)
	if icmp := (&calicov3.ICMP{Type: &kind}); g.IntN(3) == 0 {
		if g.IntN(2) == 0 {
			icmp.Code = &code
		}
		if r.Protocol != nil && (r.Protocol.StrVal == "ICMP" || r.Protocol.StrVal == "ICMPv6") && g.IntN(2) == 0 {
			r.ICMP = icmp
		} else {
			r.NotICMP = icmp
		}
	}
	return r
}

func (g generator) entity() (e calicov3.Entity) {
	switch g.IntN(4) {
	case 0:
		return e
	case 1:
		e.Services = maybe(g, 4, &calicov3.Service{Name: "front", Namespace: "shop"})
	}
	if e.Services == nil {
		e.Selector, e.NotSelector = maybe(g, 3, g.selector()), maybe(g, 6, g.selector())
		e.NamespaceSelector = maybe(g, 5, "team == 'beta'", "all()", "global()", "!has(team)", "projectcalico.org/name == 'shop'")
		e.Nets = maybe(g, 6, []string{"10.0.0.0/8"}, []string{"10.1.1.0/24", "198.51.100.0/24"}, []string{"fd01::/32"}, []string{"0.0.0.0/0"})
		e.NotNets = maybe(g, 8, []string{"10.1.0.0/23"}, []string{"2001:db8::/32"}, []string{"10.1.2.10/32"})
		e.ServiceAccounts = maybe(g, 8, &calicov3.ServiceAccounts{Names: []string{"keeper"}}, &calicov3.ServiceAccounts{Selector: "rank == 'gold'"}, &calicov3.ServiceAccounts{Selector: "rank != 'gold'", Names: []string{"keeper", "other"}}, &calicov3.ServiceAccounts{})
	}
	e.Ports, e.NotPorts = g.ports(4), g.ports(6)
	return e
}

func (g generator) ports(one int) (out []intstr.IntOrString) {
	if g.IntN(one) > 0 {
		return nil
	}
	for range 1 + g.IntN(2) {
		out = append(out, pick(g, intstr.FromString("http"), intstr.FromString("dns"), intstr.FromInt32(80), intstr.FromString("8000:8080"), intstr.FromString("40000")))
	}
	return out
}
