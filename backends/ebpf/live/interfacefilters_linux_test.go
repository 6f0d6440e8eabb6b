package live

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var byFilters = flag.Bool("by-filters", false, "attach programs of interfaces as below Linux 6.6")

// TestByFilters runs tests of interfaces with filters in the place of links, as they are below
// Linux 6.6. Real kernels of this age are run by TestOtherKernels.
func TestByFilters(t *testing.T) {
	if *byFilters {
		t.Skip("this is it")
	}
	require(t)
	names := []string{"TestInterfaces", "TestRefusals", "TestBridge", "TestCovered", "TestTagsHideNothing", "TestWatchedPods", "TestConnectionsOutlive", "TestFilterBesideOthers", "TestFilterNotAtIngress", "TestFilterOfAnotherKind"}
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

// TestFilterNotAtIngress: with the qdisc ingress, which has one side only, no program is attached
// in the other one's place; it is said, the qdisc stays, and other interfaces get theirs.
func TestFilterNotAtIngress(t *testing.T) {
	ingress := &netlink.Ingress{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: 1001, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_INGRESS}}
	r := besideForeign(t, func() error { return netlink.QdiscAdd(ingress) })
	err := r.node.do(func() error { _, err := r.interfaces.Attach(t.Context()); return err })
	if !errors.Is(err, errIngress) {
		t.Errorf("%v", err)
	}
	r.onlyAtPod2(t)
	if err := r.node.do(func() error { return netlink.QdiscDel(ingress) }); err != nil {
		t.Errorf("the qdisc ingress: %v", err)
	}
	wants(t, r.attach(), "attach program to_pod to pod1", "attach program from_pod to pod1")
}

// TestFilterOfAnotherKind: a filter that has planec's priority, and another kind, stays.
func TestFilterOfAnotherKind(t *testing.T) {
	foreign := &netlink.U32{FilterAttrs: netlink.FilterAttrs{LinkIndex: 1001, Parent: netlink.HANDLE_MIN_INGRESS, Priority: filterPriority, Protocol: unix.ETH_P_IP}, ClassId: netlink.MakeHandle(1, 1)}
	r := besideForeign(t, func() error {
		qdisc := &netlink.GenericQdisc{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: 1001, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT}, QdiscType: "clsact"}
		return errors.Join(netlink.QdiscAdd(qdisc), netlink.FilterAdd(foreign))
	})
	if err := r.node.do(func() error { _, err := r.interfaces.Attach(t.Context()); return err }); err == nil {
		t.Error("it was attached")
	}
	if err := r.node.do(func() error {
		list, err := netlink.FilterList(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: 1001}}, netlink.HANDLE_MIN_INGRESS)
		if len(list) == 0 || list[0].Type() != "u32" {
			t.Errorf("%v", list)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// besideForeign is a node with two pods, and what another program put to the first one's interface.
func besideForeign(t *testing.T, put func() error) *podRig {
	t.Helper()
	if !*byFilters {
		t.Skip("TestByFilters runs it")
	}
	r := newPodRig(t)
	r.add(1)
	r.add(2)
	if err := r.node.do(put); err != nil {
		t.Fatal(err)
	}
	r.put(r.program(policies{ingress: map[int][]int{1: nil}}))
	return r
}

// onlyAtPod2 wants both programs at the second pod's interface, and none elsewhere.
func (r *podRig) onlyAtPod2(t *testing.T) {
	t.Helper()
	if err := r.node.do(func() error {
		at, err := r.interfaces.Attached()
		for _, a := range at {
			if a.Interface != "pod2" {
				t.Errorf("%v", a)
			}
		}
		if len(at) != len(sides) {
			t.Errorf("%v", at)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
