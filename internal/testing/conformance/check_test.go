package conformance

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

// Judge creates the judge of a node.
type Judge func(*ir.Program) (netpath.Judge, error)

// Result is the result of checking a step.
type Result struct {
	// Checked counts the checked rows. Rows from a pod to itself are skipped,
	// because Kubernetes does not define their verdicts.
	Checked int
	// Wrong describes the first few rows with another verdict.
	Wrong []string
	Fails int // the number of rows with another verdict

	evaluators map[string]*eval.Evaluator
}

func (r *Result) fail(format string, args ...any) {
	const most = 5
	if r.Fails++; len(r.Wrong) < most {
		r.Wrong = append(r.Wrong, fmt.Sprintf(format, args...))
	}
}

// Spread distributes the pods of a step over nodes round-robin; the verdicts must
// not change. Pods on the host network stay, because they have the address of
// their node.
func Spread(set *objects.Set, nodes int) {
	n := 0
	for i := range set.Pods {
		if p := set.Pods[i].Object; !p.Spec.HostNetwork {
			p.Spec.NodeName = spreadNode(n % nodes)
			n++
		}
	}
}

// Check compares the verdict of every row of a step.
func Check(s *Step, set *objects.Set, judge Judge) (Result, error) {
	r := Result{evaluators: make(map[string]*eval.Evaluator)}
	cluster := compiler.Prepare(set, objects.Config{})
	for _, d := range cluster.Diagnostics() {
		if d.Code == diag.RefusedPolicy {
			return r, fmt.Errorf("%s: %v", s.Name, d)
		}
	}
	network := netpath.New(set, cluster, netpath.Evaluator)
	asked := network
	if judge != nil {
		asked = netpath.New(set, cluster, judge)
	}
	pods := make(map[string]*corev1.Pod, len(set.Pods))
	for _, p := range set.Pods {
		pods[p.Object.Namespace+"/"+p.Object.Name] = p.Object
	}
	for i := range s.Rows {
		row := &s.Rows[i]
		if row.From == row.To {
			continue
		}
		if err := r.check(row, pods, asked, judge == nil); err != nil {
			return r, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return r, nil
}

func (r *Result) check(row *Row, pods map[string]*corev1.Pod, network *netpath.Network, ordered bool) error {
	from, to := pods[row.From], pods[row.To]
	if from == nil || to == nil {
		return fmt.Errorf("%s or %s is no pod", row.From, row.To)
	}
	c := netpath.Connection{Src: netpath.PodAddresses(from)[0], Dst: row.Address, Protocol: row.Protocol, Port: row.Port}
	if !c.Dst.IsValid() {
		c.Dst = netpath.PodAddresses(to)[0]
	}
	if from.Spec.HostNetwork {
		c.FromHost, c.Node = true, from.Spec.NodeName
	}
	o, err := network.Trace(c)
	if err != nil {
		return err
	}
	r.Checked++
	if o.Reaches() != row.Combined {
		r.fail("%s to %s, %d/%v: %v, want allowed %v %s", row.From, row.To, row.Port, row.Protocol, o.Verdict, row.Combined, row.Test)
	}
	if ordered {
		r.side(row, ir.Egress, network, from, c.Src, c.Dst, row.Egress)
		r.side(row, ir.Ingress, network, to, c.Dst, c.Src, row.Ingress)
	}
	return nil
}

// side evaluates one direction.
func (r *Result) side(row *Row, d ir.Direction, network *netpath.Network, pod *corev1.Pod, own, peer netip.Addr, want *bool) {
	if want == nil {
		return
	}
	node := pod.Spec.NodeName
	if r.evaluators[node] == nil {
		r.evaluators[node] = eval.New(network.Program(node))
	}
	decision, _ := r.evaluators[node].Judge(d, own, peer, eval.Transport{Protocol: row.Protocol, Port: row.Port})
	if decision.Accept != *want {
		r.fail("%s to %s, %d/%v: %v is %v, want allowed %v", row.From, row.To, row.Port, row.Protocol, d, decision, *want)
	}
}

func spreadNode(n int) string { return fmt.Sprintf("spread-%d", n) }
