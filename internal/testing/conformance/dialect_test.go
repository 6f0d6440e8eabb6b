package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

// dialectCase is a cluster with policies of another project, and its verdicts.
type dialectCase struct {
	Case        int      `json:"case"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	Notes       []struct {
		// Policy is its kind and name; By is who refuses it, or "pruned" if the API
		// server drops the field of Message.
		Policy, By, Message string
	} `json:"notes"`
	dir   string
	rows  []dialectRow
	diags diag.List // of reading the objects
	// strangers are pods that are not of the cluster's objects as Kubernetes has them.
	strangers strangers
	// asRead changes the objects to what an engine reads in them; nil leaves them.
	asRead func(*objects.Set) *objects.Set
}

// strangers are the pods that conventions of the tables mark.
type strangers struct {
	// remote are the addresses of pods of another cluster, which is not in the input.
	remote map[string][]string
	// unseen are pods that the project has not labelled, or does not manage: objects of
	// Kubernetes do not tell.
	unseen map[string]bool
}

// The annotations that mark them.
const (
	remoteAnnotation = "conformance/remote-cluster"
	unseenAnnotation = "conformance/identity"
)

// withoutStrangers finds these pods, and removes those of another cluster.
func withoutStrangers(text []byte) ([]byte, strangers, error) {
	out := strangers{remote: make(map[string][]string), unseen: make(map[string]bool)}
	if !bytes.Contains(text, []byte("conformance/")) {
		return text, out, nil
	}
	var kept [][]byte
	for _, d := range bytes.Split(text, []byte("\n---\n")) {
		var p corev1.Pod
		if !bytes.Contains(d, []byte("conformance/")) {
			kept = append(kept, d)
			continue
		}
		if err := yaml.Unmarshal(d, &p); err != nil {
			return nil, out, err
		}
		name := p.Namespace + "/" + p.Name
		if _, remote := p.Annotations[remoteAnnotation]; remote {
			for _, ip := range p.Status.PodIPs {
				out.remote[name] = append(out.remote[name], ip.IP)
			}
			continue
		}
		out.unseen[name] = p.Annotations[unseenAnnotation] != ""
		kept = append(kept, d)
	}
	return bytes.Join(kept, []byte("\n---\n")), out, nil
}

// ofUnseen reports whether an end of the row is one that objects of Kubernetes do not tell.
func (c *dialectCase) ofUnseen(r *dialectRow) bool {
	return slices.ContainsFunc([]string{r.from, r.to}, func(end string) bool {
		return c.strangers.unseen[end] || strings.HasPrefix(end, "health/") || strings.HasPrefix(end, "ingress/")
	})
}

// dialectRow is one verdict. An end is a pod, "node/NAME" or "ip/ADDRESS"; a side that
// nothing judges is "-".
type dialectRow struct {
	from, to                  string
	protocol                  ir.Protocol
	port                      uint16 // the type of ICMP
	ingress, egress, combined string
}

// dialectProtocols are the names of protocols in the tables.
var dialectProtocols = map[string]ir.Protocol{"TCP": ir.TCP, "UDP": ir.UDP, "SCTP": ir.SCTP, "ICMP": ir.ICMP, "ICMPv6": ir.ICMPv6}

// sourcePort is that of every row.
const sourcePort = 40000

// loadDialect reads a directory with index.json; a missing one has no cases.
func loadDialect(dir string) ([]dialectCase, error) {
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []dialectCase
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	for i := range out {
		c := &out[i]
		c.dir = filepath.Join(dir, fmt.Sprintf("case-%03d", c.Case))
		err := eachLine(filepath.Join(c.dir, "expected.tsv"), 7, func(w []string) error {
			r := dialectRow{from: w[0], to: w[1], ingress: unproxied(w[4]), egress: unproxied(w[5]), combined: unproxied(w[6])}
			known := false
			if r.protocol, known = dialectProtocols[w[2]]; !known {
				return fmt.Errorf("protocol %q", w[2])
			}
			port, err := strconv.ParseUint(w[3], 10, 16)
			r.port = uint16(port)
			c.rows = append(c.rows, r)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// transport is what policies see of the row's packet.
func (r *dialectRow) transport() eval.Transport {
	if r.protocol.HasTypes() {
		return eval.Transport{Protocol: r.protocol, Port: ir.TypeAndCode(uint8(r.port), 0)}
	}
	return eval.Transport{Protocol: r.protocol, Port: r.port, SourcePort: sourcePort}
}

// objects loads the case as its cluster has it: without the fields that the API server
// drops.
func (c *dialectCase) objects() (objects.Set, error) {
	text, err := os.ReadFile(filepath.Join(c.dir, "input.yaml"))
	if err != nil {
		return objects.Set{}, err
	}
	for _, n := range c.Notes {
		if n.By != "pruned" {
			continue
		}
		for _, path := range strings.Fields(n.Message) {
			if text, err = pruned(text, n.Policy, path); err != nil {
				return objects.Set{}, err
			}
		}
	}
	if text, c.strangers, err = withoutStrangers(text); err != nil {
		return objects.Set{}, err
	}
	set, found, err := manifest.Load(context.Background(), manifest.Options{Paths: []string{"-"}, Stdin: bytes.NewReader(text)})
	if c.diags = found; c.asRead != nil {
		set = *c.asRead(&set)
	}
	return set, err
}

// pruned removes a field of a policy from a file.
func pruned(text []byte, policy, path string) ([]byte, error) {
	kind, name, _ := strings.Cut(policy, " ")
	documents := bytes.Split(text, []byte("\n---\n"))
	for i, d := range documents {
		var object map[string]any
		if err := yaml.Unmarshal(d, &object); err != nil {
			return nil, err
		}
		meta, _ := object["metadata"].(map[string]any)
		full := fmt.Sprint(meta["name"])
		if ns, there := meta["namespace"]; there {
			full = fmt.Sprint(ns) + "/" + full
		}
		if object["kind"] != kind || full != name {
			continue
		}
		remove(object, strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }))
		var err error
		if documents[i], err = yaml.Marshal(object); err != nil {
			return nil, err
		}
	}
	return bytes.Join(documents, []byte("\n---\n")), nil
}

func remove(in any, path []string) {
	switch v := in.(type) {
	case []any:
		if i, err := strconv.Atoi(path[0]); err == nil && i < len(v) {
			remove(v[i], path[1:])
		}
	case map[string]any:
		if len(path) == 1 {
			delete(v, path[0])
			return
		}
		remove(v[path[0]], path[1:])
	}
}

// end is one end of a row.
type end struct {
	node string // where it is judged, or whose address it is
	addr netip.Addr
	pod  bool // whether it is a pod with an address of its own
}

// dialectEnds finds the ends of rows.
type dialectEnds struct {
	pods   map[string]*corev1.Pod
	nodes  map[string]*corev1.Node
	remote map[string][]string
}

func endsOf(set *objects.Set, remote map[string][]string) dialectEnds {
	e := dialectEnds{make(map[string]*corev1.Pod), make(map[string]*corev1.Node), remote}
	for _, p := range set.Pods {
		e.pods[p.Object.Namespace+"/"+p.Object.Name] = p.Object
	}
	for _, n := range set.Nodes {
		e.nodes[n.Object.Name] = n.Object
	}
	return e
}

// find returns an end, with the address of the family if it has several.
func (e dialectEnds) find(name string, family ir.Family) (end, error) {
	kind, rest, _ := strings.Cut(name, "/")
	var out end
	var of []string
	switch {
	case kind == "ip":
		of = []string{rest}
	case e.remote[name] != nil:
		of = e.remote[name]
	case kind == "node":
		n := e.nodes[rest]
		if n == nil {
			return out, fmt.Errorf("no node %s", rest)
		}
		out.node = rest
		for _, a := range n.Status.Addresses {
			if a.Type == corev1.NodeInternalIP {
				of = append(of, a.Address)
			}
		}
	default:
		p := e.pods[name]
		if p == nil {
			return out, fmt.Errorf("no pod %s", name)
		}
		out.node, out.pod = p.Spec.NodeName, !p.Spec.HostNetwork
		for _, ip := range p.Status.PodIPs {
			of = append(of, ip.IP)
		}
	}
	for _, a := range netpath.ParseAddresses(of) {
		if ir.FamilyOf(a) == family {
			out.addr = a
			return out, nil
		}
	}
	return out, fmt.Errorf("%s has no %v address", name, family)
}

// family is that of the row's packet.
func (r *dialectRow) family() ir.Family {
	if r.protocol == ir.ICMPv6 || strings.HasPrefix(r.from, "ip/") && strings.Contains(r.from, ":") || strings.HasPrefix(r.to, "ip/") && strings.Contains(r.to, ":") {
		return ir.IPv6
	}
	return ir.IPv4
}

// dialectJudge answers for the nodes of one cluster.
type dialectJudge struct {
	network    *netpath.Network
	evaluators map[string]*eval.Evaluator
	judge      Judge
	judges     map[string]netpath.Judge // by node
	nodes      bool                     // whether policies judge nodes themselves
}

// judgesNodes reports whether the cluster has policies for nodes themselves.
func judgesNodes(set *objects.Set) bool {
	return slices.ContainsFunc(set.CiliumConfigs, func(c objects.Sourced[*corev1.ConfigMap]) bool {
		return c.Object.Data["enable-host-firewall"] == "true"
	})
}

// node returns what a node's own policies say.
func (j *dialectJudge) node(d ir.Direction, of, peer end, q eval.Transport) string {
	if !j.nodes || of.node == "" {
		return "-"
	}
	if decision, subject := j.evaluator(of.node).JudgeNode(d, peer.addr, q); subject {
		return word(decision)
	}
	return "allowed"
}

func (j *dialectJudge) evaluator(node string) *eval.Evaluator {
	if j.evaluators[node] == nil {
		j.evaluators[node] = eval.New(j.network.Program(node))
	}
	return j.evaluators[node]
}

// unproxied is what planec, which has no proxy, makes of a verdict: authentication is a
// proxy's business too, and one that always fails is a denial.
func unproxied(verdict string) string {
	switch {
	case strings.Contains(verdict, "authfail"):
		return "blocked"
	case strings.Contains(verdict, "auth"):
		return "redirect"
	}
	return verdict
}

// word is how the tables write a decision.
func word(d eval.Decision) string {
	switch {
	case d.Redirected():
		return "redirect"
	case d.Accept:
		return "allowed"
	}
	return "blocked"
}

// sides returns what both sides say: "-" where policies judge nothing.
func (j *dialectJudge) sides(from, to end, q eval.Transport) (ingress, egress string) {
	ingress, egress = j.node(ir.Ingress, to, from, q), j.node(ir.Egress, from, to, q)
	if from.pod {
		d, _ := j.evaluator(from.node).Judge(ir.Egress, from.addr, to.addr, q)
		egress = word(d)
	}
	switch {
	case to.pod && !from.pod && from.node == to.node:
		d, _ := j.evaluator(to.node).JudgeOwn(to.addr, q)
		ingress = word(d)
	case to.pod:
		d, _ := j.evaluator(to.node).Judge(ir.Ingress, to.addr, from.addr, q)
		ingress = word(d)
	}
	return ingress, egress
}

// passes sends the row's packet through the nodes on its way.
func (j *dialectJudge) passes(from, to end, q eval.Transport) (bool, error) {
	p := eval.Packet{Src: from.addr, Dst: to.addr, Protocol: q.Protocol, Port: q.Port, SourcePort: q.SourcePort}
	if q.Protocol.HasTypes() {
		p.Port, p.Type, p.Code = 0, uint8(q.Port>>8), uint8(q.Port)
	}
	for _, node := range slices.Compact([]string{from.node, to.node}) {
		if node == "" {
			continue // outside of the cluster
		}
		if p.From = eval.FromOutside; node == from.node {
			p.From = eval.FromNode
			if from.pod {
				p.From = eval.FromPod
			}
		}
		judge, err := j.at(node)
		if err != nil {
			return false, err
		}
		r, err := judge.Eval(p)
		if err != nil || r.Verdict != eval.Pass {
			return false, err
		}
	}
	return true, nil
}

func (j *dialectJudge) at(node string) (netpath.Judge, error) {
	if have := j.judges[node]; have != nil {
		return have, nil
	}
	made, err := j.judge(j.network.Program(node))
	j.judges[node] = made
	return made, err
}

// checkDialect compares the rows of a case, and returns how many there are and what is
// wrong with which. A nil judge is the evaluator, which also says who decided.
func checkDialect(c *dialectCase, judge Judge) (rows int, wrong []string, err error) {
	set, err := c.objects()
	if err != nil {
		return 0, nil, err
	}
	ends := endsOf(&set, c.strangers.remote)
	cluster := compiler.Prepare(&set, objects.Config{})
	j := dialectJudge{network: netpath.New(&set, cluster, netpath.Evaluator), evaluators: make(map[string]*eval.Evaluator), judge: judge, judges: make(map[string]netpath.Judge)}
	if j.nodes = judgesNodes(&set); judge == nil {
		j.judge = netpath.Evaluator
	}
	for i := range c.rows {
		r := &c.rows[i]
		if c.ofUnseen(r) {
			continue
		}
		rows++
		from, err := ends.find(r.from, r.family())
		if err != nil {
			return 0, nil, err
		}
		to, err := ends.find(r.to, r.family())
		if err != nil {
			return 0, nil, err
		}
		passes, err := j.passes(from, to, r.transport())
		if err != nil {
			return 0, nil, err
		}
		if passes != (r.combined == "allowed") {
			wrong = append(wrong, fmt.Sprintf("%s to %s, %v: passes %v, want %s", r.from, r.to, r.transport(), passes, r.combined))
		}
		if judge != nil {
			continue
		}
		if ingress, egress := j.sides(from, to, r.transport()); ingress != r.ingress || egress != r.egress {
			wrong = append(wrong, fmt.Sprintf("%s to %s, %v: ingress %s, egress %s, want %s and %s", r.from, r.to, r.transport(), ingress, egress, r.ingress, r.egress))
		}
	}
	return rows, wrong, nil
}

// differs are tags of cases that planec decides otherwise on purpose; docs/policies says
// why. Cases with the last two are of a Service that Cilium forgets, as in those with the
// first, and of pods that are no objects of the cluster.
var differs = []string{"quirk", "differs-np", "identity", "config", "selectorless", "mesh"}

// mostDiffering is the share of a table's cases that may differ on purpose, in percent.
const mostDiffering = 8

func TestCilium(t *testing.T) { testDialect(t, "ciliumnetworkpolicy") }

func TestCalico(t *testing.T) { testDialect(t, "caliconetworkpolicy") }

func testDialect(t *testing.T, table string) {
	cases, err := loadDialect(filepath.Join(dataDir(t), table))
	if err != nil {
		t.Fatal(err)
	}
	for name, judge := range judges() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reportDialect(t, table, cases, judge)
		})
	}
}

func reportDialect(t *testing.T, table string, cases []dialectCase, judge Judge) {
	t.Helper()
	right, rows, left := 0, 0, 0
	for i := range cases {
		c := &cases[i]
		n, wrong, err := checkDialect(c, judge)
		if err != nil {
			t.Errorf("case %d: %v", c.Case, err)
			continue
		}
		rows += n
		meant := slices.ContainsFunc(c.Tags, func(tag string) bool { return slices.Contains(differs, tag) })
		switch {
		case len(wrong) == 0:
			right++
		case meant:
			left++
			t.Logf("case %d, %s, differs on purpose in %d rows, as %s", c.Case, c.Description, len(wrong), wrong[0])
		default:
			t.Errorf("case %d, %s: %d of %d rows, as %s", c.Case, c.Description, len(wrong), n, strings.Join(wrong[:min(3, len(wrong))], "; "))
		}
	}
	if len(cases) > 0 && left*100 > mostDiffering*len(cases) {
		t.Errorf("%d of %d cases of %s differ on purpose, want %d %% at most", left, len(cases), table, mostDiffering)
	}
	t.Logf("%d/%d cases of %s right, %d rows, %d cases differ on purpose", right, len(cases), table, rows, left)
}

// TestRefusedAloud wants an error for every policy that a project would refuse.
func TestRefusedAloud(t *testing.T) {
	for _, table := range []string{"caliconetworkpolicy", "ciliumnetworkpolicy"} {
		cases, err := loadDialect(filepath.Join(dataDir(t), table))
		if err != nil {
			t.Fatal(err)
		}
		for i := range cases {
			c := &cases[i]
			set, err := c.objects()
			if err != nil {
				t.Fatal(err)
			}
			said := slices.Concat(c.diags, compiler.Prepare(&set, objects.Config{}).Diagnostics())
			for _, d := range said {
				if len(c.Notes) == 0 && d.Code == diag.RefusedPolicy {
					t.Errorf("%s: case %d: %v, and nothing is wrong", table, c.Case, d)
				}
			}
			for _, n := range c.Notes {
				kind, name, _ := strings.Cut(n.Policy, " ")
				aloud := func(d diag.Diagnostic) bool {
					// An object that cannot be decoded has no name.
					return d.Severity() == diag.Error && (strings.HasSuffix(d.Origin.Object(), " "+name) || d.Origin.Name == "" && strings.HasSuffix(d.Origin.Kind, kind))
				}
				if n.By != "pruned" && !slices.ContainsFunc(said, aloud) {
					t.Errorf("%s: case %d: nothing says that %s is refused by %s: %s; said %v", table, c.Case, n.Policy, n.By, n.Message, said)
				}
			}
		}
	}
}
