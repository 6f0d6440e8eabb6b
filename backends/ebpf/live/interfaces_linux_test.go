package live

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// policies is a program with policies for pods of a rig. In each direction, a pod without an
// entry has none.
type policies struct {
	// ingress and egress are, by pod, the peers that are accepted at port 80; everybody is
	// at port 81 where open says so.
	ingress, egress map[int][]int
	open            map[int]bool
}

func (r *podRig) program(x policies) *ir.Program {
	p := &ir.Program{Node: ir.Node{Name: "a", Addresses: r.nodeAddrs, Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	tiers := func(pod int, peers []int) []ir.Tier {
		port := func(n uint16) []ir.PortRange {
			return []ir.PortRange{{Protocol: ir.TCP, First: n, Last: n}, {Protocol: ir.UDP, First: n, Last: n}}
		}
		t := ir.Tier{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "n", Name: "p"}}}
		for _, peer := range peers {
			t.Rules = append(t.Rules, ir.Rule{Action: ir.Accept, Peers: []string{fmt.Sprint("pod-", peer)}, Ports: port(80)})
		}
		if x.open[pod] {
			t.Rules = append(t.Rules, ir.Rule{Action: ir.Accept, AnyPeer: true, Ports: port(81)})
		}
		return []ir.Tier{t}
	}
	used := make(map[int]bool)
	for n := 1; n < 250; n++ {
		profile := ir.Profile{ID: fmt.Sprint("n/", n), Pods: []ir.Pod{{Namespace: "n", Name: fmt.Sprint(n), Addresses: podAddrs(n)}}}
		for _, d := range []struct {
			tiers *[]ir.Tier
			of    map[int][]int
		}{{&profile.Ingress, x.ingress}, {&profile.Egress, x.egress}} {
			peers, policed := d.of[n]
			if !policed {
				continue
			}
			*d.tiers = tiers(n, peers)
			for _, peer := range peers {
				used[peer] = true
			}
		}
		if len(profile.Ingress)+len(profile.Egress) > 0 {
			p.Policy.OnDeny = ir.Drop
			p.Policy.Profiles = append(p.Policy.Profiles, profile)
		}
	}
	for peer := range used {
		p.Policy.AddressSets = append(p.Policy.AddressSets, ir.AddressSet{ID: fmt.Sprint("pod-", peer), Addresses: podAddrs(peer)})
		for _, a := range podAddrs(peer) {
			p.Policy.Peers = append(p.Policy.Peers, ir.Peer{Address: a, Namespace: "n", Name: fmt.Sprint(peer)})
		}
	}
	p.Normalize()
	if err := ir.Verify(p); err != nil {
		r.Fatal(err)
	}
	return p
}

// TestInterfaces: programs come to the interfaces of pods and no others, stay while they are the
// same, are put back, and go.
func TestInterfaces(t *testing.T) {
	r := newPodRig(t)
	if from, to, err := r.interfaces.Verdicts(); err != nil || from != (Verdicts{}) || to != (Verdicts{}) {
		t.Errorf("without programs: %+v, %+v, %v", from, to, err)
	}
	err := r.node.do(func() error { _, err := r.interfaces.Attach(t.Context()); return err })
	if !errors.Is(err, ErrNoImage) {
		t.Errorf("without an image: %v", err)
	}
	r.add(1)
	r.add(2)
	r.put(r.program(policies{ingress: map[int][]int{1: {2}}}))
	wants(t, r.attach(), "attach program to_pod to pod1", "attach program from_pod to pod1", "attach program to_pod to pod2", "attach program from_pod to pod2")
	wants(t, r.attach())
	r.remove(1)
	r.add(3)
	gone := []string{"remove program to_pod of interface 1001, which is gone", "remove program from_pod of interface 1001, which is gone"}
	if r.interfaces.usesFilters() {
		gone = nil // they go with the interface
	}
	wants(t, r.attach(), append(gone, "attach program to_pod to pod3", "attach program from_pod to pod3")...)
	r.takeOff(linkKey{1003, 1})
	wants(t, r.attach(), "attach program from_pod to pod3")
	r.interfaces.PacketRules = true
	wants(t, r.attach(), "replace program to_pod of pod2", "replace program from_pod of pod2", "replace program to_pod of pod3", "replace program from_pod of pod3")
	r.repin("plc_parts")
	wants(t, r.attach(), "replace program to_pod of pod2", "replace program from_pod of pod2", "replace program to_pod of pod3", "replace program from_pod of pod3")
	var removed []string
	err = r.node.do(func() error {
		var err error
		removed, err = r.interfaces.Detach()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, removed,
		"detach program to_pod of interface 1002", "detach program from_pod of interface 1002",
		"detach program to_pod of interface 1003", "detach program from_pod of interface 1003",
		"remove plc_legs", "remove plc_parts", "remove plc_verdicts", "remove plc_logged", "remove plc_covered", "remove plc_to_pod", "remove plc_from_pod")
	wants(t, r.attach(), "attach program to_pod to pod2", "attach program from_pod to pod2", "attach program to_pod to pod3", "attach program from_pod to pod3")
}

// takeOff takes a program off an interface, as another program might.
func (r *podRig) takeOff(k linkKey) {
	r.Helper()
	err := r.node.do(func() error {
		links, err := r.interfaces.links()
		if err != nil {
			return err
		}
		defer func() { _ = links.close() }()
		return links[k].Unpin()
	})
	if err != nil {
		r.Fatal(err)
	}
}

// repin puts an equal map in the place of one that is pinned.
func (r *podRig) repin(name string) {
	r.Helper()
	path := filepath.Join(r.interfaces.Dir, name)
	old, err := ebpf.LoadPinnedMap(path, nil)
	if err != nil {
		r.Fatal(err)
	}
	defer old.Close()
	m, err := ebpf.NewMap(&ebpf.MapSpec{Name: name, Type: old.Type(), KeySize: old.KeySize(), ValueSize: old.ValueSize(), MaxEntries: old.MaxEntries(), Flags: old.Flags()})
	if err != nil {
		r.Fatal(err)
	}
	defer m.Close()
	if err := errors.Join(os.Remove(path), m.Pin(path)); err != nil {
		r.Fatal(err)
	}
}

func wants(t *testing.T, got []string, want ...string) {
	t.Helper()
	if d := gocmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

// TestInterfacesForeign: an object with the name of one of the links is left alone.
func TestInterfacesForeign(t *testing.T) {
	r := newPodRig(t)
	r.put(r.program(policies{ingress: map[int][]int{1: nil}}))
	r.add(1)
	if err := os.Mkdir(filepath.Join(r.interfaces.Dir, "plc_veth_1001_in"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := r.node.do(func() error { _, err := r.interfaces.Attach(t.Context()); return err })
	if err == nil || !strings.Contains(err.Error(), "plc_veth_1001_in") {
		t.Errorf("%v", err)
	}
}

// TestWatchedPods changes policies and pods 40 times, with Keep beside, which
// attaches when it is told to look, and compares connections between all ends with the evaluator.
func TestWatchedPods(t *testing.T) {
	for _, direct := range []bool{false, true} {
		t.Run(fmt.Sprintf("direct=%t", direct), func(t *testing.T) { watchedPods(t, direct) })
	}
}

func watchedPods(t *testing.T, direct bool) {
	r := newPodRig(t)
	if direct {
		r.interfaces.Direct = anyPod()
	}
	rng := rand.New(rand.NewPCG(4, 2))
	r.put(r.program(policies{}))
	r.keep()
	tried := make(map[eval.Verdict]int)
	for step := range 40 {
		r.changePods(rng, step)
		x := r.randomPolicies(rng)
		p := r.program(x)
		r.put(p)
		r.awaitAttached()
		e := eval.New(p)
		var wg sync.WaitGroup
		for _, a := range r.attempts(rng, 16) {
			want := e.Eval(a.Packet).Verdict
			tried[want]++
			wg.Go(func() {
				if got := a.passes(want == eval.Pass); got != (want == eval.Pass) {
					t.Errorf("step %d: %v: passes %v, the evaluator says %v\n%s", step, a.Packet, got, want, p.Text())
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
	}
	from, to, err := r.interfaces.Verdicts()
	t.Logf("%v; from pods %+v, to pods %+v", tried, from, to)
	if err != nil || from.Known == 0 || from.Denied == 0 || to.Known == 0 || to.Denied == 0 || from.Full+to.Full+from.Broken+to.Broken > 0 {
		t.Errorf("%v: from pods %+v, to pods %+v", err, from, to)
	}
	if tried[eval.Pass] < 100 || tried[eval.Drop] < 100 {
		t.Errorf("the test asks too little: %v", tried)
	}
}

// keep keeps programs attached until the test ends, from another thread.
func (r *podRig) keep() {
	r.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		err := r.node.do(func() error {
			return r.interfaces.Keep(ctx, time.Hour, r.attachPlaced, func(_ []string, err error) {
				if err != nil {
					r.Error(err)
				}
			})
		})
		if err != nil {
			r.Error(err)
		}
	})
	r.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

// awaitAttached waits until every pod has its programs.
func (r *podRig) awaitAttached() {
	r.Helper()
	var missing []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err := r.node.do(func() (err error) { missing, err = r.interfaces.Missing(); return err }); err != nil {
			r.Fatal(err)
		}
		if len(missing) == 0 {
			return
		}
	}
	r.Fatalf("missing: %q", missing)
}

// changePods adds or removes a pod; the first steps add.
func (r *podRig) changePods(rng *rand.Rand, step int) {
	r.Helper()
	n := 1 + rng.IntN(6)
	switch {
	case r.pods[n] == nil:
		r.add(n)
	case step > 6 && len(r.pods) > 2:
		r.remove(n)
	}
}

func (r *podRig) randomPolicies(rng *rand.Rand) policies {
	x := policies{ingress: make(map[int][]int), egress: make(map[int][]int), open: make(map[int]bool)}
	for n := range 7 {
		for _, of := range []map[int][]int{x.ingress, x.egress} {
			if n == 0 || rng.IntN(3) == 0 {
				continue
			}
			of[n] = nil
			for peer := range 7 {
				if peer > 0 && rng.IntN(2) == 0 {
					of[n] = append(of[n], peer)
				}
			}
		}
		x.open[n] = rng.IntN(3) == 0
	}
	return x
}

// attempts are connections between random ends.
func (r *podRig) attempts(rng *rand.Rand, n int) (out []*attempt) {
	type end struct {
		*netns
		addrs []netip.Addr
		from  eval.Entry
	}
	ends := []end{{r.node, r.nodeAddrs, eval.FromNode}, {r.outside.netns, r.outside.addrs, eval.FromOutside}}
	numbers := make([]int, 0, len(r.pods))
	for k := range r.pods {
		numbers = append(numbers, k)
	}
	slices.Sort(numbers)
	for _, k := range numbers {
		ends = append(ends, end{r.pods[k].netns, r.pods[k].addrs, eval.FromPod}, end{r.pods[k].netns, r.pods[k].addrs, eval.FromPod})
	}
	for len(out) < n {
		from, to, family := ends[rng.IntN(len(ends))], ends[rng.IntN(len(ends))], rng.IntN(2)
		if from.netns == to.netns {
			continue
		}
		r.lastPort = max(r.lastPort, 20000) + 1 // below those that the kernel gives
		out = append(out, &attempt{from: from.netns, port: r.lastPort, Packet: eval.Packet{
			Src: from.addrs[family], Dst: to.addrs[family], Protocol: []ir.Protocol{ir.TCP, ir.UDP}[rng.IntN(2)], Port: podPorts[rng.IntN(2)], From: from.from,
		}})
	}
	return out
}

// TestConnectionsOutlive: an established connection goes on when policies no longer accept it and
// when the process that attached is killed; a new one is not accepted.
func TestConnectionsOutlive(t *testing.T) {
	r := newPodRig(t)
	r.add(1)
	r.add(2)
	r.put(r.program(policies{ingress: map[int][]int{1: {2}}, egress: map[int][]int{2: {1}}}))
	r.attachAndDie()
	var open []net.Conn
	var again []*attempt
	for family := range 2 {
		for _, protocol := range []ir.Protocol{ir.TCP, ir.UDP} {
			a := &attempt{from: r.pods[2].netns, Packet: eval.Packet{Src: podAddrs(2)[family], Dst: podAddrs(1)[family], Protocol: protocol, Port: 80, From: eval.FromPod}}
			c, err := a.dial(patience)
			if err != nil {
				t.Fatalf("%v: %v", a.Packet, err)
			}
			defer c.Close()
			open, again = append(open, c), append(again, a)
		}
	}
	r.put(r.program(policies{ingress: map[int][]int{1: nil}, egress: map[int][]int{2: nil}}))
	for i, c := range open {
		if err := echoes(c, patience); err != nil {
			t.Errorf("%v does not go on: %v", again[i].Packet, err)
		}
		if again[i].passes(false) {
			t.Errorf("%v begins again", again[i].Packet)
		}
	}
	wants(t, r.attach()) // another process finds what the dead one left
}

// TestConnectionsAreTakenOver: a connection that is older than the programs goes on under policies
// that do not accept it, and ends when it is forgotten.
func TestConnectionsAreTakenOver(t *testing.T) {
	testkit.Require(t, "nft")
	r := newPodRig(t)
	r.add(1)
	r.add(2)
	r.nft("table inet track {\n chain c {\n type filter hook forward priority 0\n ct state new accept\n }\n}\n")
	var open []net.Conn
	for family := range 2 {
		for _, protocol := range []ir.Protocol{ir.TCP, ir.UDP} {
			a := &attempt{from: r.pods[2].netns, Packet: eval.Packet{Src: podAddrs(2)[family], Dst: podAddrs(1)[family], Protocol: protocol, Port: 80, From: eval.FromPod}}
			c, err := a.dial(patience)
			if err != nil {
				t.Fatalf("%v: %v", a.Packet, err)
			}
			defer c.Close()
			open = append(open, c)
		}
	}
	r.put(r.program(policies{ingress: map[int][]int{1: nil}, egress: map[int][]int{2: nil}}))
	if steps := r.attach(); !slices.Contains(steps, "remember 8 ends of connections that the kernel tracks") {
		t.Errorf("%q", steps)
	}
	for _, c := range open {
		if err := echoes(c, patience); err != nil {
			t.Errorf("%v does not go on: %v", c.LocalAddr(), err)
		}
	}
	n, err := r.interfaces.Forget(func(l Leg) bool { return l.Pod.Addr() == podAddrs(2)[0] && l.Outward && l.Peer.Port() == 80 })
	if err != nil || n != 2 {
		t.Errorf("%d forgotten, %v", n, err)
	}
	for i, c := range open {
		if err := echoes(c, impatience); (err == nil) != (i >= 2) {
			t.Errorf("%v goes on: %v", c.LocalAddr(), err)
		}
	}
}

// TestRefusals: where policies should be answered, who sends a denied packet gets an error at once,
// whichever end has denied it; where they should not, no answer comes.
func TestRefusals(t *testing.T) {
	r := newPodRig(t)
	for n := 1; n <= 3; n++ {
		r.add(n)
	}
	p := r.program(policies{ingress: map[int][]int{1: {3}, 3: nil}, egress: map[int][]int{2: nil}})
	for i, onDeny := range []ir.Refusal{ir.Reject, ir.Drop, ir.Reject} {
		p.Policy.OnDeny = onDeny
		r.put(p)
		r.attach()
		if i > 0 {
			r.knowNeighbours()
			r.interfaces.Direct = anyPod()
			r.place(placesOf(1, 2, 3)...)
		}
		outside, pods := r.outside, r.pods
		var wg sync.WaitGroup
		for family := range 2 {
			for _, protocol := range []ir.Protocol{ir.TCP, ir.UDP} {
				for _, ends := range [][2]*pod{{pods[2], pods[1]}, {pods[2], outside}, {outside, pods[1]}, {pods[3], pods[1]}, {pods[1], pods[3]}, {pods[2], pods[3]}} {
					a := &attempt{from: ends[0].netns, Packet: eval.Packet{Src: ends[0].addrs[family], Dst: ends[1].addrs[family], Protocol: protocol, Port: 80}}
					accepted := ends == [2]*pod{pods[3], pods[1]}
					wg.Go(func() { r.refuses(a, accepted, onDeny) })
				}
				node := &attempt{from: pods[2].netns, Packet: eval.Packet{Src: pods[2].addrs[family], Dst: r.nodeAddrs[family], Protocol: protocol, Port: 80}}
				wg.Go(func() { r.refuses(node, false, onDeny) })
			}
		}
		wg.Wait()
	}
}

// refuses tries a connection and wants it accepted, or denied with or without an answer.
func (r *podRig) refuses(a *attempt, accepted bool, onDeny ir.Refusal) {
	wait := impatience
	if accepted || onDeny == ir.Reject {
		wait = patience
	}
	c, err := a.dial(wait)
	if err == nil {
		c.Close()
	}
	if (err == nil) != accepted || err != nil && errors.Is(err, unix.ECONNREFUSED) != (onDeny == ir.Reject) {
		r.Errorf("%v, denied packets %v: %v, want accepted %v", a.Packet, onDeny, err, accepted)
	}
}

// TestLargePackets: datagrams that are sent in fragments, and streams whose packets the kernel cuts
// late, pass whole; with connection tracking, which puts fragments together and cuts them again,
// and without.
func TestLargePackets(t *testing.T) {
	testkit.Require(t, "nft")
	for _, direct := range []bool{false, true} {
		t.Run(fmt.Sprintf("direct=%t", direct), func(t *testing.T) { largePackets(t, direct) })
	}
}

func largePackets(t *testing.T, direct bool) {
	r := newPodRig(t)
	r.add(1)
	r.add(2)
	r.put(r.program(policies{ingress: map[int][]int{1: {2}, 2: nil}, egress: map[int][]int{2: {1}, 1: nil}}))
	r.attach()
	if direct {
		r.interfaces.Direct = anyPod()
		r.place(placesOf(1, 2)...)
	}
	for _, tracked := range []bool{false, true} {
		if tracked {
			r.nft("table inet track {\n chain c {\n type filter hook forward priority 0\n ct state new accept\n }\n}\n")
		}
		for family := range 2 {
			a := &attempt{from: r.pods[2].netns, Packet: eval.Packet{Src: podAddrs(2)[family], Dst: podAddrs(1)[family], Protocol: ir.UDP, Port: 80, From: eval.FromPod}}
			r.transfers(a, 20000, 1)
			a.Protocol = ir.TCP
			r.transfers(a, 1<<20, 4)
		}
	}
	from, to, err := r.interfaces.Verdicts()
	if err != nil || from.Denied+to.Denied+from.Broken+to.Broken+from.Parts+to.Parts > 0 {
		t.Errorf("%v; from pods %+v, to pods %+v", err, from, to)
	}
}

// transfers sends bytes on a connection, some times, and wants them back.
func (r *podRig) transfers(a *attempt, size, times int) {
	r.Helper()
	c, err := a.dial(patience)
	if err != nil {
		r.Fatalf("%v: %v", a.Packet, err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * patience))
	sent, got := bytes.Repeat([]byte("planec"), size/6), make([]byte, size/6*6)
	for range times {
		failed := make(chan error, 1)
		go func() {
			_, err := c.Write(sent)
			failed <- err
		}()
		_, err := io.ReadFull(c, got)
		if err = errors.Join(err, <-failed); err != nil || !bytes.Equal(sent, got) {
			r.Fatalf("%v: %d bytes do not come back: %v", a.Packet, size, err)
		}
	}
}

// attachAndDie attaches from another process, which is killed then.
func (r *podRig) attachAndDie() {
	r.Helper()
	dir, err := os.Open(filepath.Dir(r.interfaces.Dir))
	if err != nil {
		r.Fatal(err)
	}
	defer dir.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childEnv+"="+childAttach)
	cmd.ExtraFiles = []*os.File{dir}
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.Fatal(err)
	}
	if err := r.node.do(cmd.Start); err != nil {
		r.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err = errors.Join(err, cmd.Process.Kill()); err != nil || line != "attached <nil>\n" {
		r.Errorf("%q, %v", line, err)
	}
	_ = cmd.Wait() // it was killed
}

// TestBridge: pods that are ports of one bridge meet no routing, and their policies all the same.
func TestBridge(t *testing.T) {
	r := newPodRig(t)
	addrs := podAddrs(1)[:1]
	addrs = append(addrs, podAddrs(2)[0])
	r.node.ip(t, "link add br0 type bridge", "addr add 10.1.0.254/24 dev br0", "link set br0 up")
	var list []*netns
	for i, a := range addrs {
		n := newNetns(t)
		r.node.ip(t, fmt.Sprintf("link add port%d index %d type veth peer name eth0 netns /proc/%d/fd/%d", i, 2000+i, os.Getpid(), n.file.Fd()), fmt.Sprintf("link set port%d master br0 up", i))
		n.ip(t, "link set eth0 up", "addr add "+a.String()+"/24 dev eth0")
		p := &pod{netns: n}
		t.Cleanup(p.close)
		r.listen(n, []netip.Addr{a}, p.keep)
		list = append(list, n)
	}
	// A pair that is no port and has no route to a pod.
	r.node.ip(t, "link add lone0 type veth peer name lone1")
	r.put(r.program(policies{ingress: map[int][]int{1: nil}}))
	wants(t, r.attach(), "attach program to_pod to port0", "attach program from_pod to port0", "attach program to_pod to port1", "attach program from_pod to port1")
	to := &attempt{from: list[1], Packet: eval.Packet{Src: addrs[1], Dst: addrs[0], Protocol: ir.TCP, Port: 80}}
	back := &attempt{from: list[0], Packet: eval.Packet{Src: addrs[0], Dst: addrs[1], Protocol: ir.TCP, Port: 80}}
	if to.passes(false) || !back.passes(true) {
		t.Error("the policy of a pod on a bridge does not hold")
	}
	r.put(r.program(policies{ingress: map[int][]int{1: {2}}}))
	if !to.passes(true) {
		t.Error("the new policy does not accept")
	}
}
