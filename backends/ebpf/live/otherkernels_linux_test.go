package live

import (
	"testing"

	"github.com/planec/planec/internal/testing/guest"
	"github.com/planec/planec/internal/testing/qemu"
)

// TestOtherKernels runs tests of this package in kernels of a distribution, whose verifiers must
// take the programs. Those below Linux 6.6 have no tcx.
func TestOtherKernels(t *testing.T) {
	qemu.Test(t, guest.Config{Modules: []string{"veth", "nf_tables", "sch_ingress", "cls_bpf", "nf_conntrack"}, Memory: 1536}, inOtherKernels()...)
}

// inOtherKernels are the tests that need what kernels differ in, and no second processor.
func inOtherKernels() []string {
	return []string{
		"TestABI", "TestLoadAndReadBack", "TestInPlace", "TestPinsApply", "TestPinsRepair", "TestSockets", "TestHits", "TestProgramsJudge",
		"TestInterfaces", "TestRefusals", "TestBridge", "TestCovered", "TestTagsHideNothing", "TestConnectionsOutlive", "TestWatchedPods",
	}
}
