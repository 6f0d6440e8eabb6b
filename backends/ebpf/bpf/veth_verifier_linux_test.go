package bpf_test

import (
	"os"
	"testing"

	"github.com/planec/planec/backends/ebpf/bpf"
	"github.com/planec/planec/internal/testing/testkit"
)

// TestVethVerifier loads the programs of pods' interfaces with every value of their
// switches.
func TestVethVerifier(t *testing.T) {
	testkit.BPFFS(t)
	document, err := os.ReadFile("../../../docs/ebpf.md")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		spec, err := bpf.LoadVeth()
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]bool{"packet_rules": i&1 != 0, "count_all": i&2 != 0} {
			if err := spec.Variables[name].Set(value); err != nil {
				t.Fatal(err)
			}
		}
		walked(t, "veth", spec, string(document))
	}
}
