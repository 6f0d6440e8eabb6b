package conformance

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/interp"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

var data = flag.String("data", "", "directory of the tables; by default the one beside the project, if it is there")

// dataDir returns the directory of the data, or skips with a message. A directory
// that is configured explicitly must exist.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := *data
	if dir == "" {
		dir = "../../../../shared/conformance"
	}
	if _, err := os.Stat(dir); err != nil {
		if *data != "" {
			t.Fatal(err)
		}
		t.Skipf("the conformance tables are not part of the project, and not at %s; name a directory with -data", dir)
	}
	return dir
}

// judges are the evaluator and each backend's interpreter.
func judges() map[string]Judge {
	out := map[string]Judge{"evaluator": nil}
	for _, b := range registry.All(backends.DefaultOptions()) {
		out[b.Name()] = func(p *ir.Program) (netpath.Judge, error) {
			a, err := b.Emit(p)
			if err != nil {
				return nil, err
			}
			return interp.New(b.Name(), a, p.Node.Addresses, false)
		}
	}
	return out
}

func TestConformance(t *testing.T) {
	network, cluster, err := Load(dataDir(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, judge := range judges() {
		for _, nodes := range []int{0, 3} {
			where := "as given"
			if nodes > 0 {
				where = fmt.Sprintf("spread over %d nodes", nodes)
			}
			t.Run(name+"/"+where, func(t *testing.T) {
				t.Parallel()
				report(t, "NetworkPolicy steps", network, judge, nodes)
				report(t, "ClusterNetworkPolicy snapshots", cluster, judge, nodes)
			})
		}
	}
}

func report(t *testing.T, what string, steps []Step, judge Judge, nodes int) {
	t.Helper()
	right, rows, wrong := 0, 0, 0
	for i := range steps {
		set, err := steps[i].Objects()
		if err != nil {
			t.Fatal(err)
		}
		r, err := checkSpread(&steps[i], set, judge, nodes)
		if err != nil {
			t.Errorf("%s: %v", steps[i].Name, err)
			continue
		}
		rows, wrong = rows+r.Checked, wrong+r.Fails
		if r.Fails == 0 {
			right++
		}
		for _, w := range r.Wrong {
			t.Errorf("%s: %s", steps[i].Name, w)
		}
	}
	t.Logf("%d/%d %s right, %d rows, %d wrong", right, len(steps), what, rows, wrong)
}

func checkSpread(s *Step, set objects.Set, judge Judge, nodes int) (Result, error) {
	if nodes > 0 {
		Spread(&set, nodes)
	}
	return Check(s, &set, judge)
}
