package compare

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var (
	pairs     = flag.Int("pairs", 400, "random pairs of policy sets that TestEveryConceivablePod compares")
	pairsSeed = flag.Uint64("pairs-seed", 1, "seed of the first pair")
)

// flavour is which pods are conceived of: more of everything at once would be too
// many to ask about each pair of them.
type flavour struct {
	name  string
	a, b  []string // values of the pods' labels; "" is none
	team  []string // values of the label of namespaces that the input does not name
	named []int32  // what the port named http may be, of UDP where it is negative, of SCTP beyond ofSCTP; 0 is none
	at    []string // networks of the pods' addresses
}

// ofSCTP is added to the numbers of ports of SCTP.
const ofSCTP = 1 << 16

var flavours = []flavour{
	{"labels", []string{"", "x", "y", "z"}, []string{"", "x"}, []string{"", "x"}, []int32{0}, []string{"10.244.2.0/24"}},
	{"ports", []string{"", "x", "y", "z"}, []string{""}, []string{"", "x"}, []int32{0, 80, 85, 443, 7777, -53, -7777, ofSCTP + 7777}, []string{"10.244.2.0/24"}},
	{"networks", []string{"", "x", "z"}, []string{"", "x"}, []string{"", "x"}, []int32{0}, []string{"10.244.1.0/24", "10.244.2.0/24", "10.244.130.0/24", "10.244.200.0/24"}},
	{"six", []string{"", "x", "z"}, []string{""}, []string{"", "x"}, []int32{0, 80, 85, 443, 7777, -53, -7777, ofSCTP + 7777}, []string{"fd00:10:244:1::/64", "fd00:10:244:2::/64", "fd00:10:244:8002::/64"}},
}

// TestEveryConceivablePod compares random sets of policies, and asks the evaluator
// about packets between all pods that there could be, which the test makes without
// a look at the stand-ins of the comparison.
func TestEveryConceivablePod(t *testing.T) {
	t.Logf("%d pairs, the first has seed %d", *pairs, *pairsSeed)
	checkPairs(t, *pairs, nil)
}

// TestEveryConceivablePodOfDialects is the same with policies of Calico or of Cilium
// beside those of Kubernetes.
func TestEveryConceivablePodOfDialects(t *testing.T) {
	for name, dialect := range map[string]func(*policyPair, *objects.Set, string){"calico": calicoPolicy, "cilium": ciliumPolicy} {
		t.Run(name, func(t *testing.T) { checkPairs(t, *pairs/8, dialect) })
	}
}

func checkPairs(t *testing.T, pairs int, dialect func(*policyPair, *objects.Set, string)) {
	t.Helper()
	counts := make(map[string]int)
	for seed := *pairsSeed; seed < *pairsSeed+uint64(pairs); seed++ {
		checkPair(t, seed, counts, dialect)
		if t.Failed() {
			return
		}
	}
	t.Log(counts)
	for _, f := range flavours {
		for _, what := range []string{"opened", "closed", "same"} {
			if counts[f.name+" "+what] < pairs/100 {
				t.Errorf("%s: %s only %d times", f.name, what, counts[f.name+" "+what])
			}
		}
	}
}

// change is a packet that opens or closes: from and to are namespaces of the input,
// or "" for all others.
type change struct {
	opened   bool
	from, to string
	port     string
}

func checkPair(t *testing.T, seed uint64, counts map[string]int, dialect func(*policyPair, *objects.Set, string)) {
	t.Helper()
	g := &policyPair{Rand: rand.New(rand.NewPCG(seed, 14)), flavour: &flavours[seed%uint64(len(flavours))], dialect: dialect}
	before, after := g.states()
	a, b := NewState(before, compiler.Prepare(before, g.config())), NewState(after, compiler.Prepare(after, g.config()))
	c := newComparison(a, b, indexChanges(changedObjects(before, after)))
	if len(c.universe.bounds) > 0 {
		t.Fatalf("seed %d: %v", seed, c.universe.bounds)
	}
	want, byNumber := g.oracle(before, after, c.universe.standIns.namespaces)
	got, outside := told(c, g.ports())
	for x, example := range want {
		if !got[x] {
			t.Errorf("seed %d (%s): the comparison misses %+v, as %s\n%s", seed, g.flavour.name, x, example, g.describe(before, after))
			return
		}
	}
	for x := range got {
		if want[x] == "" && !byNumber[x] {
			t.Errorf("seed %d (%s): the comparison says %+v, but there is no such packet\n%s", seed, g.flavour.name, x, g.describe(before, after))
			return
		}
	}
	report := States(a, b)
	for _, opened := range []bool{true, false} {
		kind, any := diffreport.Closed, false
		if opened {
			kind = diffreport.Opened
		}
		for x := range want {
			any = any || x.opened == opened
		}
		if found := report.Count(kind) > 0; any && !found || found && !any && !outside[opened] {
			t.Errorf("seed %d (%s): %s is %v, but findings say %v\n%s", seed, g.flavour.name, kind, any, found, g.describe(before, after))
		}
		if any {
			counts[g.flavour.name+" "+string(kind)]++
		}
	}
	if len(want) == 0 {
		counts[g.flavour.name+" same"]++
	}
}

// asPort is one packet to ask about. Named is whether the port has the name http.
type asPort struct {
	text     string
	protocol ir.Protocol
	number   uint16
	named    bool
}

func (g *policyPair) ports() []asPort {
	out := []asPort{{"80/tcp", ir.TCP, 80, false}, {"85/tcp", ir.TCP, 85, false}, {"443/tcp", ir.TCP, 443, false}, {"9/tcp", ir.TCP, 9, false}, {"53/udp", ir.UDP, 53, false}, {"icmp", ir.ICMP, 0, false}}
	if len(g.flavour.named) > 1 {
		out = append(out, asPort{text: "http/tcp", named: true}, asPort{text: "http/udp", named: true}, asPort{text: "http/sctp", named: true})
	}
	return out
}

// told is what the paths of a comparison say, by namespaces and ports; outside is
// whether anything opens or closes for an end that is no pod.
func told(c *comparison, ports []asPort) (out map[change]bool, outside map[bool]bool) {
	out, outside = make(map[change]bool), make(map[bool]bool)
	for _, p := range c.paths() {
		for _, from := range p.from {
			for _, to := range p.to {
				if from.role != podRole || to.role != podRole {
					outside[p.opened] = true
					continue
				}
				for _, port := range ports {
					http := slices.Index(c.universe.names.names, port.text)
					if port.named && http >= 0 && p.ports.Named != nil && p.ports.Named[http] || !port.named && p.ports.Contains(port.protocol, port.number) {
						out[change{p.opened, from.namespace, to.namespace, port.text}] = true
					}
				}
			}
		}
	}
	return out, outside
}

// conceived is a pod that there could be.
type conceived struct {
	namespace, text string
	address         netip.Addr
	http            int32
}

// oracle asks the evaluator about packets between all conceivable pods. The values
// are examples. byNumber are changes for a port with a name that are changes for its
// number, too: it is enough to tell of the number.
func (g *policyPair) oracle(before, after *objects.Set, known map[string]*namedNamespace) (out map[change]string, byNumber map[change]bool) {
	var pods []conceived
	var sets [2]objects.Set
	for i, s := range []*objects.Set{before, after} {
		sets[i] = *s
		sets[i].Pods = nil
		sets[i].Namespaces = slices.Clone(s.Namespaces)
		pods = g.conceive(&sets[i], known)
	}
	var judges [2]*eval.Evaluator
	for i := range sets {
		p, _ := compiler.Prepare(&sets[i], g.config()).Program("")
		judges[i] = eval.New(p)
	}
	allowed := func(at int, from, to *conceived, port asPort) bool {
		out, _ := judges[at].Judge(ir.Egress, from.address, to.address, eval.Transport{Protocol: port.protocol, Port: port.number})
		if !out.Accept {
			return false
		}
		in, _ := judges[at].Judge(ir.Ingress, to.address, from.address, eval.Transport{Protocol: port.protocol, Port: port.number})
		return in.Accept
	}
	name := func(n string) string {
		if known[n] == nil {
			return ""
		}
		return n
	}
	out, byNumber = make(map[change]string), make(map[change]bool)
	for i := range pods {
		from := &pods[i]
		if from.http != 0 {
			continue // nothing asks for the ports of the source
		}
		for j := range pods {
			to := &pods[j]
			for _, port := range g.portsOf(to) {
				was, is := allowed(0, from, to, port), allowed(1, from, to, port)
				if was == is {
					continue
				}
				x := change{is, name(from.namespace), name(to.namespace), port.text}
				if port.named {
					plain := port
					if plain.number == 7777 {
						plain.number = 9 // no rule tells them apart
					}
					same := to.without(pods[:j], len(g.flavour.at))
					if allowed(0, from, same, plain) == was && allowed(1, from, same, plain) == is {
						byNumber[x] = true
						continue
					}
				}
				out[x] = fmt.Sprint(from.text, " to ", to.text)
			}
		}
	}
	return out, byNumber
}

// without is the pod of the same labels and network that gives no port a name.
func (p *conceived) without(before []conceived, networks int) *conceived {
	for i := len(before) - networks; i >= 0; i -= networks {
		if before[i].http == 0 {
			return &before[i]
		}
	}
	return nil
}

// portsOf are the packets to ask about for a pod: of one that has the port http, that
// one.
func (g *policyPair) portsOf(to *conceived) []asPort {
	if to.http == 0 {
		return slices.DeleteFunc(g.ports(), func(p asPort) bool { return p.named })
	}
	if to.http > ofSCTP {
		return []asPort{{"http/sctp", ir.SCTP, uint16(to.http - ofSCTP), true}}
	}
	if to.http < 0 {
		return []asPort{{"http/udp", ir.UDP, uint16(-to.http), true}}
	}
	return []asPort{{"http/tcp", ir.TCP, uint16(to.http), true}}
}

// conceive adds every pod of the flavour to a set.
func (g *policyPair) conceive(set *objects.Set, known map[string]*namedNamespace) []conceived {
	var out []conceived
	next := make(map[string]netip.Addr)
	for _, at := range g.flavour.at {
		next[at] = netip.MustParsePrefix(at).Addr()
		if len(g.flavour.at) == 1 {
			next[at] = netip.MustParseAddr("10.244.2.0") // runs on into 10.244.3.0/24 and further
		}
	}
	in := func(namespace, text string) {
		for _, a := range g.flavour.a {
			for _, b := range g.flavour.b {
				for _, http := range g.flavour.named {
					for _, at := range g.flavour.at {
						next[at] = next[at].Next()
						p := conceived{namespace, fmt.Sprintf("%s(a=%s,b=%s,http=%d,%v)", text, a, b, http, next[at]), next[at], http}
						out = append(out, p)
						set.Pods = append(set.Pods, object(podOf(namespace, fmt.Sprintf("p%d", len(out)), labelsOf("a", a, "b", b), p.address, http)))
					}
				}
			}
		}
	}
	for _, n := range []string{"n0", "n1", "n2", "n7", "n8"} {
		if known[n] != nil {
			in(n, n) // its labels are what the input says
			continue
		}
		teams := g.flavour.team
		if g.dialect != nil { // they may ask whether there is one
			teams = append(slices.Clone(teams), "z")
		}
		for _, team := range teams {
			at := n + "." + team
			labels := labelsOf("team", team)
			labels[corev1.LabelMetadataName] = n
			set.Namespaces = append(set.Namespaces, object(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: at, Labels: labels}}))
			in(at, at)
		}
	}
	return out
}

func object[T any](o T) objects.Sourced[T] { return objects.Sourced[T]{Object: o} }

func labelsOf(pairs ...string) map[string]string {
	out := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out[pairs[i]] = pairs[i+1]
		}
	}
	return out
}

func podOf(namespace, name string, labels map[string]string, a netip.Addr, http int32) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels}}
	if http != 0 {
		p.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: max(http, -http), Protocol: corev1.ProtocolTCP}}}}
		if http > ofSCTP {
			p.Spec.Containers[0].Ports[0] = corev1.ContainerPort{Name: "http", ContainerPort: http - ofSCTP, Protocol: corev1.ProtocolSCTP}
		}
		if http < 0 {
			p.Spec.Containers[0].Ports[0].Protocol = corev1.ProtocolUDP
		}
	}
	p.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: a.String(), PodIPs: []corev1.PodIP{{IP: a.String()}}}
	return p
}
