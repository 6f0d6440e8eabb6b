package live

import (
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestForgottenConnections: when there are more connections than room, the one that is forgotten is
// judged where it is, which is counted, and goes on where policies accept it.
func TestForgottenConnections(t *testing.T) {
	r := newPodRig(t)
	r.interfaces.Legs = 64
	r.add(1)
	r.add(2)
	r.put(r.program(policies{ingress: map[int][]int{1: {2}}, egress: map[int][]int{2: {1}}}))
	r.attach()
	m, err := ebpf.LoadPinnedMap(filepath.Join(r.interfaces.Dir, legsMap), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.MaxEntries() != 64 {
		t.Errorf("room for %d", m.MaxEntries())
	}
	a := &attempt{from: r.pods[2].netns, Packet: eval.Packet{Src: podAddrs(2)[0], Dst: podAddrs(1)[0], Protocol: ir.TCP, Port: 80, From: eval.FromPod}}
	c, err := a.dial(patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n, err := r.interfaces.Forget(func(l Leg) bool { return l.Protocol == 6 })
	if err != nil || n != 2 {
		t.Errorf("%d forgotten, %v", n, err)
	}
	if err := echoes(c, patience); err != nil {
		t.Errorf("a forgotten connection does not go on: %v", err)
	}
	a.Protocol = ir.UDP
	// Which of many the kernel forgets depends on the processors that they came by.
	var from, to Verdicts
	for range 20 {
		for range 200 {
			if !a.passes(true) {
				t.Fatal("a connection among many does not pass")
			}
		}
		if err := echoes(c, patience); err != nil {
			t.Errorf("a connection that was forgotten for others does not go on: %v", err)
		}
		if from, to, err = r.interfaces.Verdicts(); err != nil || from.Midstream >= 2 && to.Midstream >= 2 {
			break
		}
	}
	if err != nil || from.Midstream < 2 || to.Midstream < 2 || from.Denied+to.Denied+from.Full+to.Full > 0 {
		t.Errorf("%v; from pods %+v, to pods %+v", err, from, to)
	}
}

// TestCovered: only pods whose interface has both programs are covered.
func TestCovered(t *testing.T) {
	r := newPodRig(t)
	r.add(1)
	r.put(r.program(policies{ingress: map[int][]int{1: nil}}))
	var got []netip.Addr
	look := func() {
		t.Helper()
		if err := r.node.do(func() (err error) { got, err = r.interfaces.Covered(); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if look(); got != nil {
		t.Errorf("before Attach: %v", got)
	}
	r.attach()
	r.add(2)
	if look(); !slices.Equal(got, podAddrs(1)) {
		t.Errorf("%v", got)
	}
	r.takeOff(linkKey{1001, 0})
	if look(); got != nil {
		t.Errorf("with one program: %v", got)
	}
}
