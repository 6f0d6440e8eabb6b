package ipvs_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/planec/planec/backends"
	emitter "github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/internal/interp/ipvs"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var policies = flag.Int("policies", 300, "how many random programs with policies to compare")

func interpret(p *ir.Program, a backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
	i, err := ipvs.New(a.File, p.Node.Addresses, false)
	if err != nil {
		return nil, err
	}
	return i.Eval, nil
}

// TestPoliciesAgreeWithEvaluator runs the emitted files of random programs with
// random policies.
func TestPoliciesAgreeWithEvaluator(t *testing.T) {
	count := interptest.RunPolicies(t, emitter.New(backends.DefaultOptions()), interpret, 1, *policies, 300)
	t.Log(count)
	if count.Programs != *policies || count.Packets < *policies*290 {
		t.Errorf("that is not %d programs with 300 packets each", *policies)
	}
}

// TestDialectsAgreeWithEvaluator does the same with policies that only other dialects
// than Kubernetes' can express.
func TestDialectsAgreeWithEvaluator(t *testing.T) {
	t.Log(interptest.RunDialects(t, emitter.New(backends.DefaultOptions()), interpret, 1, *policies, 300))
}

// TestOwnEndpointsAgreeWithEvaluator does the same where many endpoints are the node
// itself, to which IPVS delivers what no chain has judged.
func TestOwnEndpointsAgreeWithEvaluator(t *testing.T) {
	var count interptest.Count
	for seed := range uint64(*policies) {
		rng := rand.New(rand.NewPCG(seed, 19))
		p := irtest.RandomProgram(rng)
		for i := range p.Pools {
			for j := range p.Pools[i].Endpoints {
				if e := &p.Pools[i].Endpoints[j]; j == 0 && rng.IntN(3) == 0 {
					own := map[bool]string{true: "192.168.9.1", false: "fd00:9::1"}[e.Address.Addr().Is4()]
					e.Address, e.Local = netip.AddrPortFrom(netip.MustParseAddr(own), e.Address.Port()), true
				}
			}
		}
		for i := range p.Frontends {
			f := &p.Frontends[i]
			f.Origin = ir.Share(&ir.Origin{Kind: "Service", Namespace: f.Service.Namespace, Name: f.Service.Name})
		}
		irtest.AddRandomDialects(rng, p)
		name := fmt.Sprintf("seed %d", seed)
		count.Add(interptest.Program(t, name, p, emitter.New(backends.DefaultOptions()), interpret, interptest.Packets(seed, p, 300), 200))
	}
	t.Log(count)
}
