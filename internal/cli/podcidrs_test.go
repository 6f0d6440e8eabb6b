package cli

import (
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// TestPodRangeNamed wants commands for a kernel, which take no range from Nodes, to say which one
// compile takes, and to leave the settings as they are.
func TestPodRangeNamed(t *testing.T) {
	set := objects.Set{}
	for _, cidr := range []string{"10.244.1.0/24", "10.244.2.0/24"} {
		set.Nodes = append(set.Nodes, objects.Sourced[*corev1.Node]{Object: &corev1.Node{Spec: corev1.NodeSpec{PodCIDRs: []string{cidr}}}})
	}
	var c objects.Config
	var diags diag.List
	if namePodRange(&set, &c, &diags); len(c.ClusterCIDRs) > 0 {
		t.Errorf("it takes %v", c.ClusterCIDRs)
	}
	if len(diags) != 1 || diags[0].Code != diag.NoDetector || !diags[0].Note || !strings.Contains(diags[0].Message, "give --cluster-cidr 10.244.0.0/22 to both") {
		t.Errorf("said %v", diags)
	}
	var taken diag.List
	if derivePodRange(&set, &c, &taken); len(c.ClusterCIDRs) != 1 || c.ClusterCIDRs[0] != netip.MustParsePrefix("10.244.0.0/22") {
		t.Errorf("compile takes %v", c.ClusterCIDRs)
	}
	diags = nil
	if namePodRange(&set, &c, &diags); len(diags) > 0 {
		t.Errorf("with a setting: %v", diags)
	}
}
