package cnilayout_test

import (
	"context"
	"flag"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
)

var onlyTests = flag.String("inside", "", "run only tests in User Mode Linux whose names start so")

// TestMain also serves User Mode Linux: inside, this binary is the init process.
func TestMain(m *testing.M) { uml.Main(m) }

// kernels returns the ways to load rules: User Mode Linux has no tables of nftables for IPv4
// and IPv6, and alone has IPVS.
func kernels() []testkit.Kernel {
	if !uml.Inside() {
		return testkit.Kernels()
	}
	var list []testkit.Kernel
	for _, k := range testkit.Kernels() {
		if k.Name == "iptables-legacy" {
			list = append(list, k)
		}
	}
	return append(list, testkit.IPVS())
}

// inside are the tests that need User Mode Linux: for its drivers, or for IPVS.
func inside() []string {
	return []string{"TestIPVLAN", "TestIPVLANL3S", "TestOverlayGeneve", "TestOVS", "TestOVSSwitched", "TestOtherLayoutsIPVS"}
}

// onlyInside skips a test that TestUserModeLinux runs.
func onlyInside(t *testing.T) {
	t.Helper()
	if !uml.Inside() {
		t.Skip("TestUserModeLinux runs it")
	}
}

// TestUserModeLinux runs the tests of layouts that this machine's kernel need not have.
func TestUserModeLinux(t *testing.T) {
	if uml.Inside() {
		t.Skip("this is the inside")
	}
	t.Parallel()
	tools := append(testkit.IPVS().Tools, kernels()[1].Tools...)
	uml.Require(t, tools...)
	cases, err := filepath.Abs(*casesDir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	names := slices.DeleteFunc(inside(), func(name string) bool { return !strings.HasPrefix(name, *onlyTests) })
	r, err := uml.Run(ctx, uml.Config{
		Modules: append(testkit.IPVSModules(), "vxlan", "geneve", "ipvlan", "openvswitch"),
		Args:    []string{"-test.run=^(" + strings.Join(names, "|") + ")$", "-test.v", "-test.parallel=3", "-cases=" + cases},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 {
		t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
	}
	for _, name := range names {
		if !strings.Contains(r.Output, "--- PASS: "+name+" (") {
			t.Errorf("nothing says that %s ran:\n%s", name, r.Output)
		}
	}
	t.Logf("User Mode Linux ready in %v, tests took %v", r.Ready.Round(time.Millisecond), r.Took.Round(time.Millisecond))
}
