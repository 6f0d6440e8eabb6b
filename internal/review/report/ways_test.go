package report_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/review/report"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// question is what the packet box is asked.
type question struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Port     string `json:"port"`
	Protocol string `json:"protocol"`
}

// ways are questions about one cluster, with what netpath says of each.
type ways struct {
	Seed      uint64          `json:"seed"`
	Document  json.RawMessage `json:"document"`
	Questions []question      `json:"questions"`
	Want      []string        `json:"want"`
}

// TestWays compares the answers of the packet box, over all nodes, with netpath.
func TestWays(t *testing.T) {
	var cases []ways
	count := make(map[string]int)
	for seed := range uint64(16) {
		w := waysOf(t, seed)
		for i, want := range w.Want {
			verdict, _, _ := strings.Cut(want, " ")
			count[verdict]++
			if netip.MustParseAddr(w.Questions[i].To).Is4() && strings.HasPrefix(w.Questions[i].To, "192.0.2.") {
				count["node "+verdict]++
			}
		}
		cases = append(cases, w)
	}
	for _, verdict := range []string{"pass", "dnat", "drop", "reject"} {
		if count[verdict] < 100 || count["node "+verdict] < 10 {
			t.Errorf("%v: %s hardly occurs", count, verdict)
		}
	}
	text, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cases.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	page := write(t, report.Input{Objects: &objects.Set{}})
	part := policies(t, "")
	part.Nodes = part.Nodes[:1]
	inBrowser(t, "ways.test.js", map[string]string{"CASES": path, "ANY": page, "NODEPORTS": write(t, nodePorts(t)), "PART": write(t, part)})
	t.Logf("%v", count)
}

// waysOf asks about every frontend, from pods, from outside and from nodes.
func waysOf(t *testing.T, seed uint64) ways {
	t.Helper()
	c := randomcluster.New(seed)
	cluster := compiler.Prepare(&c.Objects, c.Config)
	in := report.Input{Objects: &c.Objects}
	var fronts []netip.AddrPort
	var protocols []ir.Protocol
	for _, name := range cluster.Nodes() {
		p, _ := cluster.Program(name)
		in.Nodes = append(in.Nodes, report.Node{Program: p})
		for _, f := range p.Frontends {
			for _, a := range addressesOf(c.Objects, f.Match) {
				if to := netip.AddrPortFrom(a, f.Match.Port); !slices.Contains(fronts, to) {
					fronts, protocols = append(fronts, to), append(protocols, f.Match.Protocol)
				}
			}
		}
	}
	for _, node := range c.Objects.Nodes { // a port that no Service has
		for _, a := range objects.NodeIPs(node.Object, nil) {
			fronts, protocols = append(fronts, netip.AddrPortFrom(a, 9)), append(protocols, ir.TCP)
		}
	}
	for _, pod := range c.Objects.Pods {
		for _, a := range netpath.PodAddresses(pod.Object) {
			fronts, protocols = append(fronts, netip.AddrPortFrom(a, 80)), append(protocols, ir.TCP)
		}
	}
	document, err := report.Document(in)
	if err != nil {
		t.Fatal(err)
	}
	w := ways{Seed: seed, Document: document}
	network := netpath.New(&c.Objects, cluster, netpath.Evaluator)
	for i, to := range fronts {
		for _, src := range sources(c.Objects, to.Addr(), i) {
			w.ask(t, network, cluster.Nodes()[0], netpath.Connection{Src: src, Dst: to.Addr(), Protocol: protocols[i], Port: to.Port()})
		}
	}
	return w
}

// addressesOf are the addresses of a frontend; a nodePort has those of all nodes.
func addressesOf(set objects.Set, m ir.Match) []netip.Addr {
	if m.Address.IsValid() {
		return []netip.Addr{m.Address}
	}
	var out []netip.Addr
	for _, n := range set.Nodes {
		out = append(out, ir.AddrsOf(m.Family, objects.NodeIPs(n.Object, nil))...)
	}
	return out
}

// sources are some addresses inside and outside of the family of a destination.
func sources(set objects.Set, dst netip.Addr, turn int) []netip.Addr {
	pods := []netip.Addr{}
	for _, p := range set.Pods {
		if !p.Object.Spec.HostNetwork {
			pods = append(pods, ir.AddrsOf(ir.FamilyOf(dst), netpath.PodAddresses(p.Object))...)
		}
	}
	out := []netip.Addr{netip.MustParseAddr("203.0.113.9")}
	if dst.Is6() {
		out[0] = netip.MustParseAddr("2001:db8:9::9")
	}
	for i := range min(3, len(pods)) {
		out = append(out, pods[(turn*3+i)%len(pods)])
	}
	node := set.Nodes[turn%len(set.Nodes)].Object
	return append(out, ir.AddrsOf(ir.FamilyOf(dst), objects.NodeIPs(node, nil))...)
}

// ask adds a question, with the page's choice of the first node: the one that is shown.
func (w *ways) ask(t *testing.T, network *netpath.Network, shown string, c netpath.Connection) {
	t.Helper()
	src, dst := network.Owner(c.Src), network.Owner(c.Dst)
	if src.Pod && src.Node == "" || dst.Pod && dst.Node == "" {
		return // the page has no rules for pods without a node
	}
	if !src.Pod && !src.Host && dst.Node == "" {
		c.Node = shown
	}
	o, err := network.Trace(c)
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(o.Hops, func(h netpath.Hop) bool { return h.Node == "" }) {
		return
	}
	w.Questions = append(w.Questions, question{c.Src.String(), c.Dst.String(), fmt.Sprint(c.Port), c.Protocol.String()})
	w.Want = append(w.Want, outcome(o.Result))
}

// outcome is a result as the script writes it.
func outcome(r eval.Result) string {
	list := func(choices []eval.Choice) string {
		var out []string
		for _, c := range choices {
			out = append(out, c.Address.String())
		}
		slices.Sort(out)
		return strings.Join(slices.Compact(out), ",")
	}
	return fmt.Sprintf("%v %s %s %v", r.Verdict, list(r.Endpoints), list(r.Denied), r.Masquerade)
}

// nodePorts is a report with a nodePort of an endpoint that a policy isolates, one of a
// Service without endpoints, and one for local endpoints only.
func nodePorts(t *testing.T) report.Input {
	t.Helper()
	const cluster = `apiVersion: v1
kind: Node
metadata: {name: n0}
status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.12}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: a}
spec: {nodeName: n0, containers: [{name: c, image: i}]}
status: {podIP: 10.244.0.1, podIPs: [{ip: 10.244.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: a, labels: {app: db}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {podIP: 10.244.1.1, podIPs: [{ip: 10.244.1.1}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: a}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}
`
	text := cluster
	for _, s := range []struct{ name, port, policy, endpoint, node string }{
		{"denied", "30000", "Cluster", "10.244.1.1", "n1"}, {"empty", "30001", "Cluster", "", ""}, {"elsewhere", "30002", "Local", "10.244.0.1", "n0"}, {"open", "30003", "Cluster", "10.244.0.1", "n0"},
	} {
		text += fmt.Sprintf("---\napiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: a}\nspec: {type: NodePort, clusterIP: 10.96.0.%s, externalTrafficPolicy: %s, ports: [{port: 80, nodePort: %s}]}\n", s.name, s.port[4:]+"1", s.policy, s.port)
		endpoints := "[]"
		if s.endpoint != "" {
			endpoints = fmt.Sprintf("[{addresses: [%s], nodeName: %s}]", s.endpoint, s.node)
		}
		text += fmt.Sprintf("---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: %[1]s-1, namespace: a, labels: {kubernetes.io/service-name: %[1]s}}\naddressType: IPv4\nports: [{port: 80, protocol: TCP}]\nendpoints: %[2]s\n", s.name, endpoints)
	}
	path := filepath.Join(t.TempDir(), "cluster.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in := input(t, objects.Config{ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}}, path)
	if len(in.Objects.Services) != 4 || len(in.Objects.EndpointSlices) != 4 || in.Objects.Services[0].Object.Spec.Type != corev1.ServiceTypeNodePort {
		t.Fatalf("the manifests are read as %+v", in.Objects)
	}
	return in
}
