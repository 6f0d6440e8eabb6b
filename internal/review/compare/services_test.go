package compare_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/compare"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestNoServiceChangesInSilence asks every node of both states about packets to
// every frontend: where the answers differ, a finding names the Service.
func TestNoServiceChangesInSilence(t *testing.T) {
	differ, same := 0, 0
	for seed := uint64(0); seed < 600; seed++ {
		before, after := randomcluster.New(seed*2), randomcluster.New(seed*2)
		mutate(rand.New(rand.NewPCG(seed, 7)), &after.Objects)
		old, fresh := prepared(before), prepared(after)
		told := make(map[string]bool)
		report := compare.States(old, fresh)
		for _, f := range report.Findings {
			told[f.Service] = true
		}
		for _, node := range fresh.Cluster.Nodes() {
			a, b := old.Network.Program(node), fresh.Network.Program(node)
			x, y := eval.New(a), eval.New(b)
			for _, p := range []*ir.Program{a, b} {
				for i := range p.Frontends {
					f := &p.Frontends[i]
					service := f.Service.Namespace + "/" + f.Service.Name
					if !differs(x, y, p, f) {
						same++
						continue
					}
					differ++
					if !told[service] {
						t.Fatalf("seed %d, %s: %v of %v changes, but the report does not say so:\n%s", seed, node, f.Match, service, sentences(report))
					}
				}
			}
		}
	}
	if differ < 500 || same < 1000 {
		t.Errorf("%d differ, %d are the same: one of them hardly occurs", differ, same)
	}
}

// mutate changes one thing of one Service or of one endpoint.
func mutate(r *rand.Rand, set *objects.Set) {
	s := set.Services[r.IntN(len(set.Services))].Object
	slice := set.EndpointSlices[r.IntN(len(set.EndpointSlices))].Object
	local, cluster := corev1.ServiceInternalTrafficPolicyLocal, corev1.ServiceInternalTrafficPolicyCluster
	switch r.IntN(8) {
	case 0:
		s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
	case 1:
		s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster
	case 2:
		s.Spec.InternalTrafficPolicy = &local
	case 3:
		s.Spec.InternalTrafficPolicy = &cluster
	case 4:
		s.Spec.SessionAffinity = corev1.ServiceAffinityNone
	case 5:
		s.Spec.LoadBalancerSourceRanges = []string{"198.18.0.0/15", "2001:db8:fe::/48"}
	case 6:
		no := false
		for i := range slice.Endpoints {
			if slice.Endpoints[i].Conditions.Ready = &no; r.IntN(2) == 0 {
				break
			}
		}
	case 7:
		slice.Endpoints = slice.Endpoints[:r.IntN(len(slice.Endpoints)+1)]
	}
}

// differs reports whether any packet to the frontend has another fate.
func differs(x, y *eval.Evaluator, p *ir.Program, f *ir.Frontend) bool {
	dst := f.Match.Address
	if !dst.IsValid() {
		own := ir.AddrsOf(f.Match.Family, p.Node.NodePorts.Addresses)
		if len(own) == 0 {
			return false
		}
		dst = own[0]
	}
	for _, packet := range packets(f, p, dst) {
		if f.Kind == ir.ClusterIP && packet.From == eval.FromOutside {
			continue // no client outside is meant to come there
		}
		if fate(x.Eval(packet)) != fate(y.Eval(packet)) {
			return true
		}
	}
	return false
}

func packets(f *ir.Frontend, p *ir.Program, dst netip.Addr) []eval.Packet {
	sources := map[ir.Family][]string{
		ir.IPv4: {"10.244.1.200", "203.0.113.7", "198.18.0.1"}, ir.IPv6: {"fd00:10:244:1::200", "2001:db8:ff::7", "2001:db8:fe::1"},
	}[f.Match.Family]
	var out []eval.Packet
	for i, s := range sources {
		packet := eval.Packet{Src: netip.MustParseAddr(s), Dst: dst, Protocol: f.Match.Protocol, Port: f.Match.Port, From: eval.FromOutside}
		if i == 0 {
			packet.From, packet.Interface = eval.FromPod, p.Node.Local.Interface
		}
		out = append(out, packet)
	}
	return out
}

func fate(r eval.Result) string {
	masquerade := r.Masquerade && r.Verdict == eval.DNAT
	return fmt.Sprint(r.Verdict, r.Addresses(), masquerade, r.Affinity)
}
