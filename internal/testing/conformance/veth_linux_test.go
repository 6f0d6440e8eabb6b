package conformance

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/testing/vethtest"
	"github.com/planec/planec/ir"
)

// TestVeth runs the tables through the programs of pods' interfaces, by BPF_PROG_TEST_RUN with
// real maps. All pods are on one node, so that both directions are enforced.
func TestVeth(t *testing.T) {
	network, cluster, err := Load(dataDir(t))
	if err != nil {
		t.Fatal(err)
	}
	h := vethtest.New(t)
	judge := func(p *ir.Program) (netpath.Judge, error) { return vethtest.NewJudge(h, p) }
	report(t, "NetworkPolicy steps", network, judge, 1)
	report(t, "ClusterNetworkPolicy snapshots", cluster, judge, 1)
}

// TestVethDialects runs a sample of the dialects' tables through the same programs, node by
// node. The policies of a node itself are rules' and not theirs, so cases with any are left
// out.
func TestVethDialects(t *testing.T) {
	h := vethtest.New(t)
	judge := func(p *ir.Program) (netpath.Judge, error) { return vethtest.NewJudge(h, p) }
	for _, table := range []string{"ciliumnetworkpolicy", "caliconetworkpolicy"} {
		cases, err := loadDialect(filepath.Join(dataDir(t), table))
		if err != nil {
			t.Fatal(err)
		}
		cases = slices.DeleteFunc(cases, func(c dialectCase) bool { return slices.Contains(c.Tags, "host") })
		reportDialect(t, table, sample(cases, *dialectCases/5), judge)
	}
}
