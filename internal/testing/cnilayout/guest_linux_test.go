package cnilayout_test

import (
	"context"
	"flag"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/guest"
	"github.com/planec/planec/internal/testing/qemu"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
)

var onlyTests = flag.String("inside", "", "run only tests in other kernels whose names start so")

// TestMain also serves other kernels: inside, this binary is the init process.
func TestMain(m *testing.M) { guest.Main(m) }

// isGuest reports whether this is another kernel than the machine's. They are slow.
func isGuest() bool { return guest.Inside() != "" }

// kernels returns the ways to load rules: the machine's kernel need not have IPVS, and User Mode
// Linux has no tables of nftables for IPv4 and IPv6.
func kernels() []testkit.Kernel {
	list := testkit.Kernels()
	if uml.Inside() {
		list = slices.DeleteFunc(list, func(k testkit.Kernel) bool { return k.Name != "iptables-legacy" })
	}
	if isGuest() {
		list = append(list, testkit.IPVS())
	}
	return list
}

// inside are the tests that need another kernel: for its drivers, or for IPVS.
func inside() []string {
	return []string{"TestIPVLAN", "TestIPVLANL3S", "TestOverlayGeneve", "TestOVS", "TestOVSSwitched", "TestOtherLayoutsIPVS"}
}

// chosen returns the names that the command line asks for.
func chosen(names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, *onlyTests) })
}

// drivers are the modules of layouts.
func drivers() []string {
	return append(testkit.IPVSModules(), "vxlan", "geneve", "ipvlan", "openvswitch")
}

// settings are those of this binary inside.
func settings(t *testing.T) []string {
	t.Helper()
	cases, err := filepath.Abs(*casesDir)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"-test.parallel=3", "-cases=" + cases}
}

// onlyInside skips a test that TestUserModeLinux runs.
func onlyInside(t *testing.T) {
	t.Helper()
	if !isGuest() {
		t.Skip("TestUserModeLinux runs it")
	}
}

// TestUserModeLinux runs the tests of layouts that this machine's kernel need not have.
func TestUserModeLinux(t *testing.T) {
	if isGuest() {
		t.Skip("this is the inside")
	}
	t.Parallel()
	tools := append(testkit.IPVS().Tools, testkit.Kernels()[1].Tools...)
	uml.Require(t, tools...)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	names := chosen(inside()...)
	r, err := uml.Run(ctx, uml.Config{Modules: drivers(), Args: append(guest.Arguments(names...), settings(t)...)})
	if err != nil {
		t.Fatal(err)
	}
	guest.Passed(t, r, names...)
}

// TestOtherKernels runs them in kernels of a distribution, which have all drivers and all kinds of
// rules: nftables, both variants of iptables, IPVS, and programs of eBPF.
func TestOtherKernels(t *testing.T) {
	if isGuest() {
		t.Skip("this is the inside")
	}
	names := chosen(append(inside(), "TestSockets", "TestPrograms")...)
	qemu.Test(t, guest.Config{Modules: drivers(), Args: settings(t), Memory: 1536}, names...)
}
