package live

import (
	"flag"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"
)

var byFilters = flag.Bool("by-filters", false, "attach programs of interfaces as below Linux 6.6")

// TestByFilters runs tests of interfaces with filters in the place of links, as they are below
// Linux 6.6. Real kernels of this age are run by TestOtherKernels.
func TestByFilters(t *testing.T) {
	if *byFilters {
		t.Skip("this is it")
	}
	require(t)
	names := []string{"TestInterfaces", "TestRefusals", "TestBridge", "TestCovered", "TestTagsHideNothing", "TestWatchedPods", "TestConnectionsOutlive", "TestFilterBesideOthers"}
	cmd := exec.Command(os.Args[0], "-test.run=^("+strings.Join(names, "|")+")$", "-test.v", "-by-filters")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range names {
		if !strings.Contains(string(out), "--- PASS: "+name+" (") {
			t.Errorf("nothing says that %s ran:\n%s", name, out)
		}
	}
}

// TestFilterBesideOthers: filters of other programs stay, and so does the qdisc.
func TestFilterBesideOthers(t *testing.T) {
	if !*byFilters {
		t.Skip("TestByFilters runs it")
	}
	r := newPodRig(t)
	r.add(1)
	r.node.ip(t, "link set dev pod1 up")
	r.put(r.program(policies{ingress: map[int][]int{1: nil}}))
	passes, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SchedCLS, License: "GPL", Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}})
	if err != nil {
		t.Fatal(err)
	}
	defer passes.Close()
	foreign := filter{linkKey{1001, 1}}.definition(passes)
	foreign.Priority, foreign.Name = 7, "foreign"
	filters := func() (names []string) {
		t.Helper()
		if err := r.node.do(func() error {
			list, err := netlink.FilterList(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: 1001}}, netlink.HANDLE_MIN_INGRESS)
			for _, f := range list {
				names = append(names, f.(*netlink.BpfFilter).Name)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return names
	}
	r.attach()
	if err := r.node.do(func() error { return netlink.FilterAdd(foreign) }); err != nil {
		t.Fatal(err)
	}
	wants(t, r.attach())
	if got := filters(); !slices.Equal(got, []string{"plc_from_pod", "foreign"}) {
		t.Errorf("attached: %v", got)
	}
	if err := r.node.do(func() error { _, err := r.interfaces.Detach(); return err }); err != nil {
		t.Fatal(err)
	}
	if got := filters(); !slices.Equal(got, []string{"foreign"}) {
		t.Errorf("detached: %v", got)
	}
}
