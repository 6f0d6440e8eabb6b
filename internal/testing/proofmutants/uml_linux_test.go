package proofmutants_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
)

// TestMain also serves User Mode Linux: inside, this binary is the init process.
func TestMain(m *testing.M) {
	uml.Init()
	os.Exit(m.Run())
}

// kernels returns the kernels of this machine; IPVS runs in User Mode Linux.
func kernels() []testkit.Kernel {
	if uml.Inside() {
		return []testkit.Kernel{testkit.IPVS()}
	}
	return testkit.Kernels()
}

// TestUserModeLinux runs TestKernelConfirms for IPVS.
func TestUserModeLinux(t *testing.T) {
	if uml.Inside() {
		t.Skip("this is the inside")
	}
	uml.Require(t, testkit.IPVS().Tools...)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	r, err := uml.Run(ctx, uml.Config{Modules: testkit.IPVSModules(), Args: []string{
		"-test.run=^TestKernelConfirms$", "-test.v", fmt.Sprintf("-confirmed=%d", *confirmedIPVS), fmt.Sprintf("-seed=%d", *first),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 || !strings.Contains(string(r.Output), "counterexamples confirmed") {
		t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
	}
	for line := range strings.Lines(string(r.Output)) {
		if strings.Contains(line, "counterexamples confirmed") {
			t.Log(strings.TrimSpace(line))
		}
	}
}
