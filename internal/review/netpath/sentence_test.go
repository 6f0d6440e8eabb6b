package netpath_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestSentences holds sentences against outcomes, on random clusters with Services and
// policies: from all pods to all pods and all addresses of Services. What arrives says so,
// a refusal has a reason, and a reason that is a policy's names one.
func TestSentences(t *testing.T) {
	policy := regexp.MustCompile(`(NetworkPolicy|AdminNetworkPolicy|ClusterNetworkPolicy) `)
	counts := make(map[string]int)
	for seed := uint64(1); seed < 40; seed++ {
		c := randomcluster.New(seed)
		network := netpath.New(&c.Objects, compiler.Prepare(&c.Objects, c.Config), netpath.Evaluator)
		for _, q := range questions(network, netpath.Pods(&c.Objects)) {
			o, err := network.Trace(q)
			if err != nil {
				t.Fatal(err)
			}
			s := o.Sentence()
			arrives := strings.Contains(s, " arrives") || strings.Contains(s, " goes on to outside") || strings.Contains(s, "does not leave the pod")
			if arrives != (o.Verdict == eval.Pass || o.Verdict == eval.DNAT) {
				t.Fatalf("seed %d: %v, and %q", seed, o.Verdict, s)
			}
			_, reason, has := strings.Cut(s, ": ")
			switch {
			case len(o.Denied) > 0 && !policy.MatchString(s):
				t.Fatalf("seed %d: policies deny endpoints, and none is named: %q", seed, s)
			case len(o.Denied) > 0:
				counts["denied"]++
			case !arrives && (!has || reason == ""):
				t.Fatalf("seed %d: no reason: %q", seed, s)
			case !arrives:
				counts["refused"]++
			case strings.Contains(s, "allowed by"):
				counts["allowed by a rule"]++
			default:
				counts["open"]++
			}
			if strings.Contains(s, "  ") || strings.Contains(s, "%!") || strings.Contains(s, "()") || !strings.HasSuffix(o.Question(), "?") {
				t.Fatalf("seed %d: %q", seed, s)
			}
		}
	}
	for _, what := range []string{"denied", "refused", "allowed by a rule", "open"} {
		if counts[what] < 20 {
			t.Errorf("%s: only %d times in %v", what, counts[what], counts)
		}
	}
}

// questions asks from each pod to each other one, and to each frontend of its node.
func questions(network *netpath.Network, pods []netpath.Pod) (out []netpath.Connection) {
	for i := range pods {
		from := &pods[i]
		for j := range pods {
			if src, dst, ok := netpath.Common(from.Addresses, pods[j].Addresses, from.Primary); ok {
				out = append(out, netpath.Connection{Src: src, Dst: dst, Protocol: ir.TCP, Port: 8080, FromHost: from.Place.Host, Node: from.Place.Node})
			}
		}
		p := network.Program(from.Place.Node)
		for k := range p.Frontends {
			m := p.Frontends[k].Match
			src, has := from.Addresses[ir.FamilyOf(m.Address)]
			if has && m.Address.IsValid() {
				out = append(out, netpath.Connection{Src: src, Dst: m.Address, Protocol: m.Protocol, Port: m.Port, FromHost: from.Place.Host, Node: from.Place.Node})
			}
		}
	}
	return out
}
