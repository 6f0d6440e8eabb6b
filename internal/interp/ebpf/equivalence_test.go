package ebpf_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	interp "github.com/planec/planec/internal/interp/ebpf"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

var (
	clusters = flag.Int("clusters", 1000, "how many generated clusters to try")
	packets  = flag.Int("packets", 1000, "how many packets to try in each")
	seed     = flag.Uint64("seed", 1, "the first cluster's seed")
)

// TestEquivalence compares the interpreter's results for the bytes of the image
// with the evaluator's results for the program.
func TestEquivalence(t *testing.T) {
	t.Logf("%d clusters from seed %d, %d packets each", *clusters, *seed, *packets)
	count := make(map[eval.Verdict]int)
	for i := range *clusters {
		s := *seed + uint64(i)
		p := randomProgram(s)
		if err := ir.Verify(p); err != nil {
			t.Fatalf("seed %d: the test's program is wrong: %v", s, err)
		}
		n := interp.New(readBack(t, p))
		compareAll(t, s, p, n.Eval, *packets, count)
	}
	t.Logf("verdicts: %v", count)
	for _, v := range []eval.Verdict{eval.Pass, eval.DNAT, eval.Drop, eval.Reject} {
		if *clusters*(*packets) >= 100000 && count[v] == 0 {
			t.Errorf("no packet got %v: the test does not ask enough", v)
		}
	}
}

// readBack emits an image and reads its bytes.
func readBack(t *testing.T, p *ir.Program) *image.Image {
	t.Helper()
	a, err := image.New(backends.DefaultOptions()).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Read(a.Files[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// compareAll compares random packets. Check must not refuse anything of the program.
func compareAll(t *testing.T, seed uint64, p *ir.Program, got func(eval.Packet) eval.Result, n int, count map[eval.Verdict]int) {
	t.Helper()
	for _, d := range image.New(backends.DefaultOptions()).Check(p) {
		if d.Code == diag.NotExpressible {
			t.Errorf("seed %d: Check reports %v", seed, d)
		}
	}
	e := eval.New(p)
	for _, packet := range packetsFor(rand.New(rand.NewPCG(seed, 2)), p, n) {
		want := e.Eval(packet)
		count[want.Verdict]++
		if err := compare(want, got(packet)); err != nil {
			t.Fatalf("seed %d: %v by %s: %v\n%s", seed, packet, packet.Interface, err, p.Text())
		}
	}
}

func compare(want, got eval.Result) error {
	if want.Verdict != got.Verdict || want.Masquerade != got.Masquerade || want.Affinity != got.Affinity {
		return fmt.Errorf("want %v, masquerade %v, affinity %d; got %v, %v, %d",
			want.Verdict, want.Masquerade, want.Affinity, got.Verdict, got.Masquerade, got.Affinity)
	}
	if !slices.Equal(want.Endpoints, got.Endpoints) {
		return fmt.Errorf("want endpoints %v, got %v", want.Endpoints, got.Endpoints)
	}
	if !slices.Equal(want.Denied, got.Denied) {
		return fmt.Errorf("want %v denied, got %v", want.Denied, got.Denied)
	}
	return nil
}
