package bpf_test

import (
	"os"
	"testing"

	"github.com/planec/planec/internal/testing/guest"
	"github.com/planec/planec/internal/testing/qemu"
)

func TestMain(m *testing.M) { guest.Main(m) }

// TestOtherKernels has the verifiers of a distribution's kernels look at every program.
func TestOtherKernels(t *testing.T) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	qemu.Test(t, guest.Config{Dir: dir, Memory: 1536}, "TestVerifier", "TestVethVerifier")
}
