package conformance

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/planec/planec/internal/review/dialects"
)

// TestCiliumReading reads NetworkPolicies as Cilium does, which `trace --dialects` says:
// then the verdicts of Cilium are right too where it departs from Kubernetes' text.
func TestCiliumReading(t *testing.T) {
	const table = "ciliumnetworkpolicy"
	cases, err := loadDialect(filepath.Join(dataDir(t), table))
	if err != nil {
		t.Fatal(err)
	}
	departs := 0
	for i := range cases {
		c := &cases[i]
		c.asRead = dialects.AsCilium
		if !slices.Contains(c.Tags, "differs-np") {
			continue
		}
		departs++
		if c.Description == "Baseline Accept under the isolation of a NetworkPolicy: Cilium accepts, network-policy-api denies" {
			continue // ClusterNetworkPolicies are read by their text
		}
		c.Tags = nil // it must be right
	}
	if departs < 4 {
		t.Errorf("%d cases where Cilium departs from the text, want 4", departs)
	}
	reportDialect(t, table, cases, nil)
}
