package live

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// changed is the kitchen sink's program with additional Services, some with two
// routes and therefore marks.
func changed(rng *rand.Rand) *ir.Program {
	p := irtest.KitchenSink()
	for range rng.IntN(12) {
		i := rng.IntN(30)
		id := fmt.Sprintf("extra-%d", i)
		if slices.ContainsFunc(p.Pools, func(q ir.Pool) bool { return q.ID == id }) {
			continue
		}
		pool := irtest.Pool(id, "+10.1.0.2:8080")
		for range rng.IntN(4) {
			a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 1, byte(2 + rng.IntN(50))}), 8080)
			if !slices.ContainsFunc(pool.Endpoints, func(e ir.Endpoint) bool { return e.Address == a }) {
				pool.Endpoints = append(pool.Endpoints, ir.Endpoint{Address: a, Weight: uint16(1 + rng.IntN(2))})
			}
		}
		p.Pools = append(p.Pools, pool)
		vip := fmt.Sprintf("10.96.1.%d", i)
		p.ClusterIPs = append(p.ClusterIPs, netip.MustParseAddr(vip))
		p.Frontends = append(p.Frontends, irtest.Frontend(ir.ClusterIP, id, vip+":80", id))
		if rng.IntN(2) == 0 {
			lb := irtest.Frontend(ir.LoadBalancer, id, fmt.Sprintf("203.0.113.%d:80", 10+i), id)
			lb.External = ir.Route{Pool: "cart-local", Masquerade: ir.MasqueradeNever, OnEmpty: ir.Drop}
			p.Frontends = append(p.Frontends, lb)
		}
	}
	p.Normalize()
	return p
}

// steady are flows to Services of the kitchen sink, in every way there is. No two
// have both the source and the endpoints in common: IPVS knows a reply by the
// client's address and port and the endpoint's, so connections to two virtual
// addresses that have all of these are confused, whatever is applied
// (TestKernelSharedPort). With flows that had them in common one connection of
// 159,444 failed.
func steady() []testkit.Flow {
	var out []testkit.Flow
	for _, f := range []struct {
		from     eval.Entry
		src, dst string
	}{
		{eval.FromOutside, "192.0.2.9", "10.96.0.1:80"},
		{eval.FromOutside, "192.0.2.10", "203.0.113.1:80"}, // to local endpoints
		{eval.FromPod, "10.1.0.99", "203.0.113.3:90"},      // by mark
		{eval.FromNode, "192.168.9.1", "203.0.113.3:90"},   // by mark
		{eval.FromNode, "192.168.9.1", "10.96.0.1:80"},
		{eval.FromPod, "10.1.0.98", "203.0.113.2:80"},
		{eval.FromOutside, "192.0.2.11", "192.168.9.1:30080"},
		{eval.FromPod, "10.1.0.97", "10.96.0.1:90"}, // sticky
		{eval.FromPod, "fd00:10:1::99", "[fd00:96::1]:80"},
	} {
		to := netip.MustParseAddrPort(f.dst)
		out = append(out, testkit.Flow{From: f.from, Src: netip.MustParseAddr(f.src), Dst: to.Addr(), Protocol: ir.TCP, Port: to.Port()})
	}
	return out
}

// TestKernelUndisturbed continuously connects to Services that do not change,
// while others are added, removed and changed.
func TestKernelUndisturbed(t *testing.T) {
	inside(t)
	// The table of a machine with so little memory is full after 6144 connections.
	if err := os.WriteFile("/proc/sys/net/netfilter/nf_conntrack_max", []byte("262144"), 0); err != nil {
		t.Fatal(err)
	}
	flows := steady()
	r := testkit.New(t, testkit.SpecFor(irtest.KitchenSink(), flows))
	// There is also room for at most 8192 ends that wait for late packets: an
	// endpoint without one resets the connection when a late packet arrives.
	if err := r.Outside(func() error {
		return os.WriteFile("/proc/sys/net/ipv4/tcp_max_tw_buckets", []byte("262144"), 0)
	}); err != nil {
		t.Fatal(err)
	}
	w := newWorker(t, r)
	rng := rand.New(rand.NewPCG(1, 2))
	if err := w.do(func() error { _, err := apply(t.Context(), emit(t, changed(rng))); return err }); err != nil {
		t.Fatal(err)
	}
	var done atomic.Bool
	var steps atomic.Int64
	result := make(chan error, 1)
	var all []backends.Artifact
	for range *changes {
		all = append(all, emit(t, changed(rng)))
	}
	go func() {
		defer done.Store(true)
		result <- w.do(func() error {
			for i, a := range all {
				s, err := apply(t.Context(), a)
				if err != nil {
					return fmt.Errorf("change %d: %w", i, err)
				}
				steps.Add(int64(len(s)))
			}
			return nil
		})
	}()
	tried, failed := tryUntil(t, r, flows, &done)
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if failed > 0 || tried < *changes {
		t.Errorf("%d of %d connections failed", failed, tried)
	}
	tell(t, map[string]int{"changes": *changes, "steps": int(steps.Load()), "connections": tried, "failed": failed})
}

func tryUntil(t *testing.T, r *testkit.Rig, flows []testkit.Flow, done *atomic.Bool) (tried, failed int) {
	t.Helper()
	for !done.Load() {
		got, err := r.Try(t.Context(), flows, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range got {
			tried++
			if o.Fate != testkit.Answered {
				failed++
				t.Errorf("%v: %v", flows[i], o)
			}
		}
	}
	return tried, failed
}

// Variables that make this binary a process that applies the files of a directory,
// and that is killed after a given time.
const (
	applyVariable = "PLANEC_TEST_APPLY"
	killVariable  = "PLANEC_TEST_KILL"
)

// applyDirectory prints how long the apply took; planning does not count, because
// it changes nothing.
func applyDirectory(dir string) int {
	var a backends.Artifact
	var p *Plan
	b, err := os.ReadFile(filepath.Join(dir, "artifact.json"))
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err == nil {
		p, err = plan(context.Background(), a)
	}
	start := time.Now()
	if after, none := time.ParseDuration(os.Getenv(killVariable)); none == nil {
		time.AfterFunc(after, func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) })
	}
	if err == nil {
		err = kernel().Apply(context.Background(), p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(time.Since(start))
	return 0
}

// whole is the number of applies that complete before one is killed.
const whole = 3

// TestKernelKilled kills applies at random moments: unchanged Services keep
// working, and the next apply removes all remains.
func TestKernelKilled(t *testing.T) {
	inside(t)
	flows := steady()
	r := testkit.New(t, testkit.SpecFor(irtest.KitchenSink(), flows))
	check := foreign(t, r)
	rng := rand.New(rand.NewPCG(5, 6))
	counts := map[string]int{}
	var took time.Duration
	for i := 0; counts["killed"] < *kills && i < 4**kills+whole; i++ {
		dir := t.TempDir()
		b, err := json.Marshal(emit(t, changed(rng)))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "artifact.json"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if i < whole {
			out := shell(t, r, "", "env "+applyVariable+"="+dir+" "+os.Args[0])
			if took, err = time.ParseDuration(strings.TrimSpace(out)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		after := time.Duration(rng.Int64N(int64(took)))
		out, err := r.Run("", "env", applyVariable+"="+dir, killVariable+"="+after.String(), os.Args[0])
		if err != nil && !strings.Contains(err.Error(), "killed") {
			t.Fatal(err, out)
		}
		if err == nil { // faster than the previous applies
			counts["not killed"]++
			if took, err = time.ParseDuration(strings.TrimSpace(out)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		counts["killed"]++
		if o := shell(t, r, "", "ipset list -n"); strings.Contains(o, "plc-tmp-") {
			counts["with a journal left"]++
		}
		got, err := r.Try(t.Context(), flows, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for j, o := range got {
			counts["connections"]++
			if o.Fate != testkit.Answered {
				counts["failed"]++
				t.Errorf("kill %d: %v: %v", i, flows[j], o)
			}
		}
		if i%2 == 0 { // otherwise the next apply is killed over it
			a := emit(t, changed(rng))
			if err := r.Do(func() error { _, err := apply(t.Context(), a); return err }); err != nil {
				t.Fatal(err)
			}
			wantOnly(t, r, a)
		}
	}
	if err := r.Do(func() error { _, err := kernel().Clean(t.Context()); return err }); err != nil {
		t.Fatal(err)
	}
	check()
	wantClean(t, r)
	if counts["killed"] < *kills {
		t.Errorf("only %d of %d were killed", counts["killed"], *kills)
	}
	tell(t, counts)
}

// wantOnly wants the artifact's services and foreign ones, and no journal.
func wantOnly(t *testing.T, r *testkit.Rig, a backends.Artifact) {
	t.Helper()
	want, err := Parse(a)
	if err != nil {
		t.Fatal(err)
	}
	list := shell(t, r, "", "ipvsadm -Sn")
	if got := strings.Count(list, "-A ") - strings.Count(foreignServices, "-A "); got != len(want.services) {
		t.Errorf("%d services, want %d:\n%s", got, len(want.services), list)
	}
	if sets := shell(t, r, "", "ipset list -n"); strings.Contains(sets, "plc-tmp-") {
		t.Errorf("left behind: %s", sets)
	}
}

// TestKernelDrains holds a connection to a destination that is removed.
func TestKernelDrains(t *testing.T) {
	inside(t)
	node := netip.MustParseAddr("192.168.9.1")
	r := testkit.New(t, testkit.Spec{NodeAddrs: []netip.Addr{node}})
	w := newWorker(t, r)
	program := func(endpoints ...string) backends.Artifact {
		p := &ir.Program{Node: ir.Node{Name: "n", Addresses: []netip.Addr{node}}, ClusterIPs: irtest.Addrs("10.96.0.50"), Pools: []ir.Pool{irtest.Pool("drain", endpoints...)}}
		p.Frontends = []ir.Frontend{irtest.Frontend(ir.ClusterIP, "drain", "10.96.0.50:80", "drain")}
		u := irtest.Frontend(ir.ClusterIP, "drain", "10.96.0.50:80", "drain")
		u.Match.Protocol, u.Service.Protocol, u.Service.Port, u.ID = ir.UDP, ir.UDP, "dns", "shop/drain/dns/udp/ClusterIP/x"
		p.Frontends = append(p.Frontends, u)
		p.Normalize()
		return emit(t, p)
	}
	var conn *net.TCPConn
	err := w.do(func() error {
		for _, port := range []string{"7001", "7002"} {
			if err := echo(node.String() + ":" + port); err != nil {
				return err
			}
		}
		if _, err := apply(t.Context(), program("+192.168.9.1:7001", "+192.168.9.1:7002")); err != nil {
			return err
		}
		for range 4 {
			c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: node.AsSlice()}}).Dial("tcp", "10.96.0.50:80")
			if err != nil {
				return err
			}
			if port, err := ask(c); err != nil || port == "7001" {
				conn = c.(*net.TCPConn)
				return err
			}
			c.Close()
		}
		return errors.New("no connection reached 7001")
	})
	if err != nil {
		t.Fatal(err)
	}
	without := program("+192.168.9.1:7002")
	var steps []string
	if err := w.do(func() (err error) { steps, err = apply(t.Context(), without); return err }); err != nil {
		t.Fatal(err)
	}
	words := strings.Join(steps, "\n")
	if !strings.Contains(words, "drain destination 192.168.9.1:7001 of tcp") || !strings.Contains(words, "remove destination 192.168.9.1:7001 of udp") {
		t.Errorf("steps:\n%s", words)
	}
	list := shell(t, r, "", "ipvsadm -Sn")
	if !strings.Contains(list, "-a -t 10.96.0.50:80 -r 192.168.9.1:7001 -m -w 0\n") || strings.Contains(list, "-a -u 10.96.0.50:80 -r 192.168.9.1:7001") {
		t.Errorf("while it drains:\n%s", list)
	}
	if port, err := ask(conn); err != nil || port != "7001" {
		t.Errorf("the open connection: %q %v", port, err)
	}
	for range 6 {
		err := w.do(func() error {
			c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: node.AsSlice()}}).Dial("tcp", "10.96.0.50:80")
			if err != nil {
				return err
			}
			defer c.Close()
			if port, err := ask(c); err != nil || port != "7002" {
				return fmt.Errorf("a new connection: %q %w", port, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	// The destination is added and removed again: the connection survives both.
	if err := w.do(func() error {
		_, err := apply(t.Context(), program("+192.168.9.1:7001", "+192.168.9.1:7002"))
		_, again := apply(t.Context(), without)
		return errors.Join(err, again)
	}); err != nil {
		t.Fatal(err)
	}
	if port, err := ask(conn); err != nil || port != "7001" {
		t.Errorf("the open connection: %q %v", port, err)
	}
	if err := errors.Join(conn.SetLinger(0), conn.Close()); err != nil { // a reset: 10 s, not 120
		t.Fatal(err)
	}
	closed := time.Now()
	for {
		if err := w.do(func() (err error) { steps, err = apply(t.Context(), without); return err }); err != nil {
			t.Fatal(err)
		}
		if len(steps) > 0 {
			break
		}
		if time.Since(closed) > time.Minute {
			t.Fatal("it is never removed")
		}
		time.Sleep(200 * time.Millisecond)
	}
	if list := shell(t, r, "", "ipvsadm -Sn"); strings.Contains(list, "7001") {
		t.Errorf("still there:\n%s", list)
	}
	tell(t, map[string]any{"removed after": time.Since(closed).String(), "steps": steps})
}

// echo answers lines with the port, in the namespace of the calling thread.
func echo(at string) error {
	l, err := net.Listen("tcp", at)
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(at)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for s := bufio.NewScanner(c); s.Scan(); {
					fmt.Fprintln(c, port)
				}
			}()
		}
	}()
	return nil
}

// ask returns the port that the other end has.
func ask(c net.Conn) (string, error) {
	if err := c.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(c, "who"); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line), err
}

// cpu is what this process and its children have used.
func cpu() time.Duration {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return sum
}

// TestKernelMeasured measures the duration of changes with many Services, if
// -measured is set.
func TestKernelMeasured(t *testing.T) {
	inside(t)
	if *measured == 0 {
		tell(t, "not measured")
		return
	}
	r := testkit.New(t, testkit.Spec{})
	facts := map[string]string{"services": fmt.Sprint(*measured)}
	measure := func(name string, f func() error) {
		t.Helper()
		start, used := time.Now(), cpu()
		if err := r.Do(f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		facts[name] = fmt.Sprintf("%v (cpu %v)", time.Since(start).Round(100*time.Microsecond), (cpu() - used).Round(100*time.Microsecond))
	}
	p := irtest.ManyServices(*measured)
	a := emit(t, p)
	p.Pools[*measured/2].Endpoints[0].Address = netip.MustParseAddrPort("10.15.0.1:8080")
	b := emit(t, p)
	run := func(a backends.Artifact) func() error {
		return func() error {
			pl, err := plan(t.Context(), a)
			if err != nil {
				return err
			}
			return kernel().Apply(t.Context(), pl)
		}
	}
	measure("first apply", run(a))
	measure("nothing changed", run(a))
	measure("one endpoint changed", run(b))
	want, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	measure("read services", func() error {
		s, err := open(t.Context())
		if err != nil {
			return err
		}
		defer s.close()
		_, err = s.readServices()
		return err
	})
	measure("read destinations by netlink", func() error {
		s, err := open(t.Context())
		if err != nil {
			return err
		}
		defer s.close()
		for k := range want.services {
			if _, err := s.readDestinations(k); err != nil {
				return err
			}
		}
		return nil
	})
	measure("read rules and sets", func() error { _, err := kernel().rules.Observe(t.Context()); return err })
	measure("clean", func() error { _, err := kernel().Clean(t.Context()); return err })
	measure("ipvsadm -R", func() error { _, err := Parse(a); return err })
	start := time.Now()
	shell(t, r, string(a.File("ipvsadm.rules")), "ipvsadm -R")
	facts["ipvsadm -R"] = time.Since(start).Round(100 * time.Microsecond).String()
	tell(t, facts)
}
