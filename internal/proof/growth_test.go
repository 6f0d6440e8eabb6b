package proof_test

import (
	"math"
	"net/netip"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/clustergen"
)

// TestGrowth counts the boxes of clusters of two sizes: four times as many Services are at
// most six times as many sets of packets. Five would be enough but for the levels of iptables'
// dispatch trees.
func TestGrowth(t *testing.T) {
	for _, b := range registry.All(backends.DefaultOptions()) {
		small, large := boxes(t, b, 200), boxes(t, b, 800)
		exponent := math.Log(float64(large)/float64(small)) / math.Log(4)
		t.Logf("%s: %d boxes of 200 Services, %d of 800: exponent %.2f", b.Name(), small, large, exponent)
		if large > 6*small {
			t.Errorf("%s: %d boxes of 200 Services and %d of 800", b.Name(), small, large)
		}
	}
}

func boxes(t *testing.T, b backends.Backend, services int) int {
	t.Helper()
	set := clustergen.Objects(clustergen.Size{Services: services, Endpoints: 5})
	config := objects.Config{ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}}
	p, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name, Config: config})
	a, err := b.Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	r, err := proof.Artifact(p, b, a, 1)
	if err != nil || len(r.Differences) > 0 {
		t.Fatal(err, r.Differences)
	}
	return r.Boxes
}
