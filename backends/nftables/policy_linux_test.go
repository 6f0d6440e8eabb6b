package nftables

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// policyPrograms is how many random programs with policies a kernel gets;
// PLANEC_POLICY_PROGRAMS asks for more.
func policyPrograms(t *testing.T) uint64 {
	s := os.Getenv("PLANEC_POLICY_PROGRAMS")
	if s == "" {
		return 16
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKernelRandomPolicies is TestKernelRandomPrograms with policies.
func TestKernelRandomPolicies(t *testing.T) {
	testkit.Require(t, "nft")
	agreed := make(map[eval.Verdict]int)
	for seed := range policyPrograms(t) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 17))
			p := irtest.RandomProgram(rng)
			irtest.AddRandomPolicy(rng, p)
			text := emit(t, p, backends.DefaultOptions())
			report := testkit.RunProgram(t, p, testkit.RandomFlows(rng, p, 160), func(r *testkit.Rig) error {
				load(t, r, text)
				if d := cmp.Diff(canonical(text), canonical(list(t, r))); d != "" {
					t.Errorf("-emitted +listed:\n%s", d)
				}
				return nil
			})
			for v, n := range report.Agreed {
				agreed[v] += n
			}
		})
	}
	t.Logf("agreed: %v", agreed)
}

// TestKernelRandomDialects does it with policies that only other dialects than
// Kubernetes' can express, and with the packets that they tell apart.
func TestKernelRandomDialects(t *testing.T) {
	testkit.Require(t, "nft")
	agreed := make(map[eval.Verdict]int)
	for seed := range policyPrograms(t) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 23))
			p := irtest.RandomProgram(rng)
			p.Node.DropInvalid = seed%4 == 0
			irtest.AddRandomDialects(rng, p)
			text := emit(t, p, backends.DefaultOptions())
			report := testkit.RunProgram(t, p, testkit.RandomDialectFlows(rng, p, 160), func(r *testkit.Rig) error {
				load(t, r, text)
				return nil
			})
			for v, n := range report.Agreed {
				agreed[v] += n
			}
		})
	}
	t.Logf("agreed: %v", agreed)
}

// The node's addresses and a client's, of policed's rig.
const (
	node4, node6   = "192.168.9.1", "fd00:9::1"
	world4, world6 = "192.0.2.9", "2001:db8:77::9"
)

// policedRig loads the program with all of its pods there.
func policedRig(t *testing.T, p *ir.Program) *testkit.Rig {
	t.Helper()
	testkit.Require(t, "nft")
	r := testkit.New(t, testkit.SpecFor(p, nil))
	load(t, r, emit(t, p, backends.DefaultOptions()))
	return r
}

// to is a flow of any protocol.
func to(from eval.Entry, src, dst string, proto ir.Protocol) testkit.Flow {
	f := flow(from, src, dst)
	f.Protocol = proto
	return f
}

// TestPolicyDirections tries what policies are known for, one by one.
func TestPolicyDirections(t *testing.T) {
	p := policed()
	p.Masquerade = ir.Masquerade{}
	rejecting := policed()
	rejecting.Masquerade, rejecting.Policy.OnDeny = ir.Masquerade{}, ir.Reject
	wantVerdicts(t, policedRig(t, p), eval.Pass, eval.Drop, eval.Reject)
	wantVerdicts(t, policedRig(t, rejecting), eval.Pass, eval.Reject, eval.Reject)
}

// wantVerdicts tries flows of policed and wants, for those that policies let
// through, deny, and never see, the verdicts given.
func wantVerdicts(t *testing.T, r *testkit.Rig, passed, denied, refused eval.Verdict) {
	t.Helper()
	var flows []testkit.Flow
	want := make(map[testkit.Flow]eval.Verdict)
	names := make(map[testkit.Flow]string)
	for _, c := range []struct {
		name string
		flow testkit.Flow
		want eval.Verdict
	}{
		{"denied UDP is silent", to(eval.FromOutside, world4, "10.1.0.4:53", ir.UDP), denied},
		{"denied IPv6 UDP is silent", to(eval.FromOutside, world6, "[fd00:10:1::4]:53", ir.UDP), denied},
		{"denied SCTP is silent", to(eval.FromOutside, world4, "10.1.0.4:8080", ir.SCTP), denied},
		{"SCTP as a whole", to(eval.FromOutside, world4, "10.1.0.2:7777", ir.SCTP), passed},
		{"SCTP is not TCP", to(eval.FromOutside, world4, "10.1.0.2:7777", ir.TCP), denied},
		{"IPv6 SCTP as a whole", to(eval.FromOutside, world6, "[fd00:10:1::2]:7777", ir.SCTP), passed},
		{"a range's last port", to(eval.FromOutside, world4, "10.1.0.2:8999", ir.UDP), passed},
		{"the port after it", to(eval.FromOutside, world4, "10.1.0.2:9000", ir.UDP), denied},
		{"a peer's port", to(eval.FromPod, "10.1.0.2", "10.1.0.3:5432", ir.TCP), passed},
		{"a peer's other port", to(eval.FromPod, "10.1.0.2", "10.1.0.3:5433", ir.TCP), denied},
		{"IPv6 peer's port", to(eval.FromPod, "fd00:10:1::2", "[fd00:10:1::3]:5432", ir.TCP), passed},
		{"ingress without egress", to(eval.FromPod, "10.1.0.3", "10.1.0.2:8080", ir.TCP), denied},
		{"an administrator's deny", to(eval.FromPod, "10.1.0.2", "169.254.169.254:80", ir.TCP), denied},
		{"its neighbour", to(eval.FromPod, "10.1.0.2", "169.254.169.253:80", ir.TCP), passed},
		{"the node to a sealed pod", to(eval.FromNode, node4, "10.1.0.4:8080", ir.TCP), passed},
		{"the node to a sealed pod, UDP", to(eval.FromNode, node4, "10.1.0.4:8080", ir.UDP), passed},
		{"the node to a sealed pod, IPv6", to(eval.FromNode, node6, "[fd00:10:1::4]:8080", ir.TCP), passed},
		{"a sealed pod to its node", to(eval.FromPod, "10.1.0.4", node4+":8080", ir.TCP), denied},
		{"a sealed pod to its node, IPv6", to(eval.FromPod, "fd00:10:1::4", "["+node6+"]:8080", ir.UDP), denied},
		{"a pod with DNS to its node", to(eval.FromPod, "10.1.0.2", node4+":53", ir.UDP), passed},
		{"a pod without policies", to(eval.FromPod, "10.1.0.77", node4+":8080", ir.TCP), passed},
		{"a Service's refusal first", to(eval.FromPod, "10.1.0.4", "10.96.0.2:80", ir.TCP), refused},
	} {
		flows = append(flows, c.flow)
		names[c.flow], want[c.flow] = c.name, c.want
	}
	report, err := r.Check(t.Context(), flows, func(p eval.Packet) eval.Result {
		return eval.Result{Verdict: want[testkit.Flow{From: p.From, Src: p.Src, Dst: p.Dst, Protocol: p.Protocol, Port: p.Port}]}
	}, testkit.DefaultTimeout)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Disagreements {
		t.Errorf("%s: %v", names[d.Flow], d)
	}
}

// TestPolicyKeepsMasqueradeMark: a packet that the Service chains marked and
// policies let through leaves with the node's address, and with no priority.
func TestPolicyKeepsMasqueradeMark(t *testing.T) {
	p := policed()
	r := policedRig(t, p)
	load(t, r, `table ip foreign {
		chain postrouting {
			type filter hook postrouting priority 200
			ip daddr 10.1.0.2 ct direction original meta priority != 0 counter comment "priority"
			ip daddr 10.1.0.2 ct direction original counter comment "seen"
		}
	}`)
	// 203.0.113.2 is masqueraded from everywhere; 10.1.0.2 is one of three.
	var flows []testkit.Flow
	for range 30 {
		flows = append(flows, flow(eval.FromOutside, world4, "203.0.113.2:80"), flow(eval.FromPod, "10.1.0.2", "203.0.113.2:80"))
	}
	report, err := r.Check(t.Context(), flows, eval.New(p).Eval, testkit.DefaultTimeout)
	if err != nil || len(report.Disagreements) > 0 {
		t.Errorf("%v %v", err, report.Disagreements)
	}
	text := list(t, r)
	for line := range strings.Lines(text) {
		if strings.Contains(line, `comment "priority"`) && !strings.Contains(line, "packets 0 ") {
			t.Errorf("a class is left: %s", line)
		}
		if strings.Contains(line, `comment "seen"`) && strings.Contains(line, "packets 0 ") {
			t.Errorf("nothing seen: %s", line)
		}
	}
}

// TestPolicyOfPodsThatChange applies what pods do all day as elements, and asks
// the evaluator of the new program.
func TestPolicyOfPodsThatChange(t *testing.T) {
	for name, change := range podChanges() {
		t.Run(name, func(t *testing.T) {
			from, to := policed(), policed()
			change(to)
			to.Normalize()
			changedInKernel(t, from, to)
		})
	}
	t.Run("the first pod of a set", func(t *testing.T) {
		from, to := policed(), policed()
		from.Policy.AddressSets[0].Addresses = nil
		from.Policy.Peers = append(from.Policy.Peers[:1], from.Policy.Peers[2:]...)
		changedInKernel(t, from, to)
	})
}

func changedInKernel(t *testing.T, from, to *ir.Program) {
	flows := testkit.RandomFlows(rand.New(rand.NewPCG(5, 5)), to, 150)
	testkit.RunProgram(t, to, flows, func(r *testkit.Rig) error {
		load(t, r, emit(t, from, backends.DefaultOptions()))
		text, n := transition(t, make(map[string]bool), from, to, backends.DefaultOptions())
		t.Logf("%d elements", n)
		return r.LoadNFT(text)
	})
}

// TestPolicyCanonicalAtSize has hundreds of classes, for the spelling of their
// numbers, and a row of 500 ports, for the length of its line.
func TestPolicyCanonicalAtSize(t *testing.T) {
	testkit.Require(t, "nft")
	p := policed()
	rules := &p.Policy.Profiles[0].Ingress[0].Rules
	rule := (*rules)[0]
	rule.Peers = nil
	for i := range 500 {
		id := fmt.Sprintf("set-%d", i)
		network := netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(i >> 8), byte(i), 0}), 24+i%9)
		p.Policy.AddressSets = append(p.Policy.AddressSets, ir.AddressSet{ID: id, Prefixes: []netip.Prefix{network.Masked()}})
		rule.Peers = append(rule.Peers, id)
		port := uint16(1000 + 2*i)
		rule.Ports = append(rule.Ports, ir.PortRange{Protocol: ir.UDP, First: port, Last: port}, ir.PortRange{Protocol: ir.SCTP, First: 10 * port, Last: 10*port + uint16(i%3)})
	}
	*rules = append(*rules, rule)
	p.Normalize()
	text := emit(t, p, backends.DefaultOptions())
	r := testkit.New(t, testkit.Spec{})
	load(t, r, text)
	if d := cmp.Diff(canonical(text), canonical(list(t, r))); d != "" {
		t.Errorf("-emitted +listed:\n%s", d)
	}
}

// TestKernelLogs wants the packets of log rules in the kernel's log.
func TestKernelLogs(t *testing.T) {
	testkit.Require(t, "nft")
	testkit.RunLogged(t, func(r *testkit.Rig, p *ir.Program) error {
		load(t, r, emit(t, p, backends.DefaultOptions()))
		return nil
	})
}
