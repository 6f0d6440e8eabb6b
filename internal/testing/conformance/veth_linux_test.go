package conformance

import (
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
