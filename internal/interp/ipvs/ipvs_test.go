package ipvs_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/backends"
	emitter "github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/interp/ipvs"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

var (
	clusters = flag.Int("clusters", 1000, "how many generated clusters to compare")
	packets  = flag.Int("packets", 1000, "how many packets in each")
	seed     = flag.Uint64("seed", 1, "the first cluster's seed")
)

// tally counts the comparisons, and the packets skipped because of Check.
type tally struct{ packets, otherPorts, hashed int }

// TestAgreesWithEvaluator compares the emitted files of generated clusters with
// the evaluator.
func TestAgreesWithEvaluator(t *testing.T) {
	start := time.Now()
	var n tally
	for i := range *clusters {
		s := *seed + uint64(i)
		c := randomcluster.New(s)
		p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		opts := backends.DefaultOptions()
		opts.Scheduler = emitter.Schedulers()[i%5]
		opts.MasqueradeBit = i % 32
		n.compare(t, fmt.Sprintf("seed %d", s), p, opts, interptest.Packets(s, p, *packets))
		if t.Failed() {
			return
		}
	}
	t.Logf("%d clusters from seed %d: %d packets agree; %d to other ports of bound addresses were not compared, nor %d affinities by hash (%v)",
		*clusters, *seed, n.packets, n.otherPorts, n.hashed, time.Since(start).Round(time.Millisecond))
	if want := *clusters * *packets; n.packets+n.otherPorts != want || n.otherPorts*20 > want {
		t.Errorf("%d packets were compared and %d were not, of %d", n.packets, n.otherPorts, want)
	}
}

func (n *tally) compare(t *testing.T, name string, p *ir.Program, opts backends.Options, packets []eval.Packet) {
	t.Helper()
	b := emitter.New(opts)
	a, err := b.Emit(p)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	i, err := ipvs.New(a.File, p.Node.Addresses, false)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	hashed, refused := hashedFrontends(b.Check(p), p), proof.NewSingle(b, p).Excludes
	e := eval.New(p)
	for _, packet := range packets {
		want := e.Eval(packet)
		if refused(packet, want) {
			n.otherPorts++
			continue
		}
		n.packets++
		got, err := i.Eval(packet)
		if err == nil {
			err = n.differs(want, got, hashed)
		}
		if err != nil {
			t.Errorf("%s: %v: %v\n%v", name, packet, err, want.Steps)
		}
	}
}

// hashedFrontends returns the frontends whose affinity is a hash according to Check.
func hashedFrontends(list diag.List, p *ir.Program) map[string]bool {
	hashed := make(map[string]bool)
	for _, d := range list {
		for i := range p.Frontends {
			if f := &p.Frontends[i]; d.Origin == f.Origin.At("spec.sessionAffinity") && strings.Contains(d.Message, "by a hash") {
				hashed[f.ID] = true
			}
		}
	}
	return hashed
}

func (n *tally) differs(want, got eval.Result, hashed map[string]bool) error {
	if want.Verdict != got.Verdict || !slices.Equal(want.Addresses(), got.Addresses()) {
		return fmt.Errorf("%v %v, want %v %v", got.Verdict, got.Addresses(), want.Verdict, want.Addresses())
	}
	if want.Affinity != got.Affinity {
		if got.Affinity != 0 || !hashed[want.Frontend.ID] {
			return fmt.Errorf("affinity of %d s, want %d", got.Affinity, want.Affinity)
		}
		n.hashed++
	}
	if want.Masquerade != got.Masquerade {
		return fmt.Errorf("masquerade %v, want %v", got.Masquerade, want.Masquerade)
	}
	for _, g := range got.Endpoints {
		for _, w := range want.Endpoints {
			if g.Address == w.Address && (g.Masquerade != w.Masquerade || g.Weight != w.Weight || g.Hairpin != w.Hairpin) {
				return fmt.Errorf("endpoint %+v, want %+v", g, w)
			}
		}
	}
	return nil
}
