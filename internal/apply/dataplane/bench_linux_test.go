package dataplane_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/ipvs"
	"golang.org/x/sys/unix"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
)

var (
	benchServices = flag.String("services", "10000,30000", "how many Services of 5 endpoints benchmarks have")
	umlBench      = flag.String("uml-bench", "BenchmarkChange", "which benchmarks to run in User Mode Linux")
)

// used is the CPU time of this process and of its children that have ended, user
// and system.
func used(t testing.TB) time.Duration {
	t.Helper()
	var sum time.Duration
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

// BenchmarkChange is a change of one object, from the object to the kernel's
// acknowledgement, among many Services, and what the bare tools need for the same:
// CPU milliseconds of this process and its children.
func BenchmarkChange(b *testing.B) {
	all := append(planes(), ebpfPlane(b))
	if uml.Inside() {
		all = []plane{ipvsPlane()}
	}
	for _, p := range all {
		for n := range strings.SplitSeq(*benchServices, ",") {
			var services int
			if _, err := fmt.Sscan(n, &services); err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%s/%dx5", p.name, services), func(b *testing.B) { benchPlane(b, p, services) })
		}
	}
}

// bench is one dataplane with a cluster.
type bench struct {
	plane plane
	// record is the directory of the applier's record, which a restart finds again.
	record   string
	set      objects.Set
	emitter  backends.Backend
	artifact backends.Artifact
	rig      *testkit.Rig
}

func benchPlane(b *testing.B, p plane, services int) {
	testkit.Require(b, p.tools...)
	x := &bench{plane: p, record: b.TempDir(), set: clustergen.Objects(clustergen.Size{Services: services, Endpoints: 5})}
	o := backends.DefaultOptions()
	o.NoComments = true
	selected, err := registry.Select(o, p.backend)
	if err != nil {
		b.Fatal(err)
	}
	x.emitter = selected[0]
	program, _ := compiler.Compile(compiler.Input{Objects: &x.set, Node: x.set.Nodes[0].Object.Name})
	if x.artifact, err = x.emitter.Emit(program); err != nil {
		b.Fatal(err)
	}
	b.Run("first-apply", func(b *testing.B) {
		x.each(b, func(b *testing.B, _ int) { x.start(b) }, func() { x.empty(b) })
	})
	x.bare(b)
	x.rig = testkit.New(b, testkit.Spec{})
	s := x.start(b)
	b.Run("restart", func(b *testing.B) { x.each(b, func(b *testing.B, _ int) { x.start(b) }, nil) })
	x.changes(b, s)
	x.bareChange(b)
}

// each measures what do uses, without what before it does.
func (x *bench) each(b *testing.B, do func(b *testing.B, n int), before func()) {
	var sum time.Duration
	n := 0
	runtime.GC() // of what was before
	for b.Loop() {
		if before != nil {
			before()
		}
		start := used(b)
		do(b, n)
		sum += used(b) - start
		n++
	}
	b.ReportMetric(float64(sum.Microseconds())/1000/float64(n), "cpu-ms/op")
}

func (x *bench) do(b *testing.B, f func() error) {
	b.Helper()
	if err := x.rig.Do(f); err != nil {
		b.Fatal(err)
	}
}

// empty makes a kernel without rules, maps and programs of planec.
func (x *bench) empty(b *testing.B) {
	b.Helper()
	x.rig, x.record = testkit.New(b, testkit.Spec{}), b.TempDir()
	if x.plane.place == (place{}) {
		return
	}
	x.do(b, func() error { _, err := x.plane.make().Clean(context.Background()); return err })
}

// start is a session's first apply: nothing is there, or everything.
func (x *bench) start(b *testing.B) *session.Session {
	b.Helper()
	a := applier.New(map[string]applier.Dataplane{x.plane.backend: x.plane.make()}, applier.NewRecord(x.record))
	s := session.New(compiler.NewIncremental(&x.set, x.set.Nodes[0].Object.Name, objects.Config{}), x.emitter, a)
	x.do(b, func() error { _, err := s.Apply(context.Background()); return err })
	return s
}

func (x *bench) changes(b *testing.B, s *session.Session) {
	update := func(b *testing.B, u compiler.Update) {
		b.Helper()
		x.do(b, func() error { _, err := s.Update(context.Background(), u); return err })
	}
	slice := x.set.EndpointSlices[len(x.set.EndpointSlices)/2]
	change := func(with func(*discoveryv1.EndpointSlice, int)) func(*testing.B) {
		return func(b *testing.B) {
			one := func(b *testing.B, n int) {
				changed := *slice.Object
				changed.Endpoints = slices.Clone(changed.Endpoints)
				with(&changed, n)
				update(b, compiler.Update{Slices: []compiler.SliceUpdate{{
					Name: objects.NameOf(&changed), Slice: objects.Sourced[*discoveryv1.EndpointSlice]{Object: &changed},
				}}})
			}
			one(b, 1) // what the benchmark before has left goes
			x.each(b, one, nil)
		}
	}
	b.Run("endpoint-replaced", change(func(s *discoveryv1.EndpointSlice, n int) {
		s.Endpoints[2].Addresses = []string{[]string{"10.127.0.1", "10.127.0.2"}[n%2]}
	}))
	b.Run("nothing", change(func(*discoveryv1.EndpointSlice, int) {}))
	b.Run("service-goes-and-comes", func(b *testing.B) {
		one := x.set.Services[len(x.set.Services)/3]
		x.each(b, func(b *testing.B, n int) {
			u := compiler.ServiceUpdate{Name: objects.NameOf(one.Object)}
			if n%2 == 1 {
				u.Service = one
			}
			update(b, compiler.Update{Services: []compiler.ServiceUpdate{u}})
		}, nil)
		// It is there again for what follows.
		update(b, compiler.Update{Services: []compiler.ServiceUpdate{{Name: objects.NameOf(one.Object), Service: one}}})
	})
}

// run is a program in the node's namespace.
func (x *bench) run(stdin []byte, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, stderr.Bytes())
	}
	return nil
}

// restore loads files with the variant's own program.
func (x *bench) restore(text []byte) error {
	return x.run(text, x.plane.tools[1], "--noflush")
}

// bare loads all files into an empty kernel with the tools that they are for.
func (x *bench) bare(b *testing.B) {
	if x.plane.backend == "ebpf" || x.plane.backend == "nftables" {
		return
	}
	b.Run("bare-first", func(b *testing.B) {
		x.each(b, func(b *testing.B, _ int) {
			x.do(b, func() error {
				if err := x.run(x.artifact.File("ipset.rules"), "ipset", "restore"); err != nil {
					return err
				}
				if x.plane.backend == "ipvs" {
					if err := x.run(x.artifact.File("ipvsadm.rules"), "ipvsadm", "-R"); err != nil {
						return err
					}
					if err := x.run(x.artifact.File("addresses.batch"), "ip", "-batch", "-"); err != nil {
						return err
					}
				}
				return errors.Join(x.restore(x.artifact.File("iptables.rules")), x.restore(x.artifact.File("iptables-jumps.rules")))
			})
		}, func() { x.rig = testkit.New(b, testkit.Spec{}) })
	})
}

// bareChange is one endpoint replaced, by the bare tool or by raw netlink.
func (x *bench) bareChange(b *testing.B) {
	switch x.plane.backend {
	case "iptables":
		text := chainOf(b, x.artifact.File("iptables.rules"))
		b.Run("bare-endpoint", func(b *testing.B) {
			x.each(b, func(b *testing.B, _ int) { x.do(b, func() error { return x.restore(text) }) }, nil)
		})
	case "ipvs":
		var h *ipvs.Handle
		x.do(b, func() (err error) { h, err = ipvs.New(""); return err })
		defer h.Close()
		v := &ipvs.Service{AddressFamily: unix.AF_INET, Protocol: unix.IPPROTO_TCP, Address: net.ParseIP("10.96.0.9").To4(), Port: 80, SchedName: "rr", Netmask: 0xffffffff}
		b.Run("bare-endpoint", func(b *testing.B) {
			x.each(b, func(b *testing.B, n int) {
				d := func(n int) *ipvs.Destination {
					return &ipvs.Destination{Address: net.IPv4(10, 127, 0, byte(n%2)).To4(), Port: 8080, Weight: 1}
				}
				if err := h.NewDestination(v, d(n)); err != nil {
					b.Fatal(err)
				}
				if err := h.DelDestination(v, d(n)); err != nil {
					b.Fatal(err)
				}
			}, nil)
		})
	}
}

// chainOf is a restore of one Service's chain.
func chainOf(b *testing.B, rules []byte) []byte {
	b.Helper()
	at := bytes.Index(rules, []byte("-A PLC-S-"))
	name := string(bytes.Fields(rules[at:])[1])
	out := "*nat\n:" + name + " - [0:0]\n"
	for line := range bytes.Lines(rules[at:]) {
		if !bytes.HasPrefix(line, []byte("-A "+name+" ")) {
			break
		}
		out += string(line)
	}
	return []byte(out + "COMMIT\n")
}

// BenchmarkInUML runs BenchmarkChange for IPVS in User Mode Linux.
func BenchmarkInUML(b *testing.B) {
	uml.Require(b, "ipvsadm", "ipset", "iptables-legacy-restore", "ip6tables-legacy-restore", "ip")
	ctx, cancel := context.WithTimeout(context.Background(), *umlLimit)
	defer cancel()
	r, err := uml.Run(ctx, uml.Config{Modules: ipvsModules, Memory: 1500, Args: []string{
		"-test.run=^$", "-test.bench=" + *umlBench, "-test.benchtime=" + flag.Lookup("test.benchtime").Value.String(), "-test.timeout=0", "-services=" + *benchServices,
	}})
	if err != nil || r.Code != 0 {
		b.Fatal(err, r.Output)
	}
	for line := range strings.Lines(r.Output) {
		if strings.HasPrefix(line, "Benchmark") {
			fmt.Print("User Mode Linux: ", line)
		}
	}
}
