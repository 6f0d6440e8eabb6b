package live

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// cpu is what this process has used, in user and system mode.
func cpu() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(unix.TimevalToNsec(u.Utime) + unix.TimevalToNsec(u.Stime))
}

// measured counts CPU time of some parts of an iteration.
type measured struct {
	total time.Duration
	n     int
}

func (m *measured) run(f func()) {
	from := cpu()
	f()
	m.total += cpu() - from
	m.n++
}

// try is run of what can fail.
func (m *measured) try(f func() error) (err error) {
	m.run(func() { err = f() })
	return err
}

func (m *measured) report(b *testing.B, what string) {
	b.ReportMetric(m.total.Seconds()*1000/float64(max(1, m.n)), "cpu-ms/"+what)
}

func bigEmit(b *testing.B, p *ir.Program, comments bool) []byte {
	b.Helper()
	a, err := nftables.New(backends.Options{MasqueradeBit: 14, NoComments: !comments}).Emit(p)
	if err != nil {
		b.Fatal(err)
	}
	return a.Files[0].Data
}

func bigParse(b *testing.B, text []byte) *Model {
	b.Helper()
	m, err := Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func eachSize(b *testing.B, f func(b *testing.B, p *ir.Program, comments bool)) {
	for _, n := range []int{10000, 30000} {
		p := irtest.ManyServices(n)
		for _, comments := range []bool{true, false} {
			b.Run(fmt.Sprintf("services=%d/comments=%v", n, comments), func(b *testing.B) { f(b, p, comments) })
		}
	}
}

func BenchmarkParse(b *testing.B) {
	eachSize(b, func(b *testing.B, p *ir.Program, comments bool) {
		text := bigEmit(b, p, comments)
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			bigParse(b, text)
		}
	})
}

// BenchmarkRules reads an artifact that is rules mostly: those of 250 policies.
func BenchmarkRules(b *testing.B) {
	p := irtest.ManyServices(10)
	addProfiles(p, 250)
	text := bigEmit(b, p, true)
	rules := 0
	for _, t := range bigParse(b, text).Tables {
		for _, c := range t.Chains {
			rules += len(c.Rules)
		}
	}
	b.ReportAllocs()
	var parsing measured
	for b.Loop() {
		parsing.run(func() { bigParse(b, text) })
	}
	b.ReportMetric(float64(rules), "rules")
	b.ReportMetric(float64(parsing.total.Nanoseconds())/float64(parsing.n*rules), "cpu-ns/rule")
}

// BenchmarkFirstApply is a whole load into an empty kernel, of its parts and all.
func BenchmarkFirstApply(b *testing.B) {
	eachSize(b, func(b *testing.B, p *ir.Program, comments bool) {
		r := newRig(b)
		var emitting, parsing, applying measured
		for b.Loop() {
			r.clean()
			var text []byte
			var m *Model
			emitting.run(func() { text = bigEmit(b, p, comments) })
			parsing.run(func() { m = bigParse(b, text) })
			applying.run(func() {
				r.do(func() error {
					s, err := Observe(b.Context())
					if err != nil {
						return err
					}
					return Apply(b.Context(), Diff(s, m))
				})
			})
		}
		emitting.report(b, "emit")
		parsing.report(b, "parse")
		applying.report(b, "apply")
		b.ReportMetric(peakRSS(), "peak-MB")
	})
}

// BenchmarkRaw compares a whole first apply, from the program to the kernel's answer, with
// sending messages that were prepared before, which is what the kernel itself needs.
func BenchmarkRaw(b *testing.B) {
	eachSize(b, func(b *testing.B, p *ir.Program, comments bool) {
		r := newRig(b)
		var batches [][]byte
		stages := (&Plan{want: bigParse(b, bigEmit(b, p, comments))}).first().stages()
		for _, stage := range []*Plan{stages.added, stages.changed, stages.removed} {
			if !stage.Empty() {
				batch, _ := stage.encode()
				batches = append(batches, batch)
			}
		}
		var raw, whole measured
		for b.Loop() {
			r.clean()
			runtime.GC()
			r.do(func() error { return raw.try(func() error { return sendRaw(batches) }) })
			r.clean()
			runtime.GC()
			r.do(func() error {
				return whole.try(func() error {
					m := bigParse(b, bigEmit(b, p, comments))
					s, err := Observe(b.Context())
					if err != nil {
						return err
					}
					return Apply(b.Context(), Diff(s, m))
				})
			})
		}
		raw.report(b, "raw")
		whole.report(b, "whole")
		b.ReportMetric(whole.total.Seconds()/raw.total.Seconds(), "ratio")
	})
}

// first is the plan of the wanted model over nothing.
func (p *Plan) first() *Plan { return diffModels(&Model{}, p.want) }

func sendRaw(batches [][]byte) error {
	return once(func(c *conn) error {
		for _, batch := range batches {
			if err := c.send(batch); err != nil {
				return err
			}
			refused := func(r reply) error { _, err := r.problem(); return err }
			if _, err := c.drain(refused); err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkVerify reads correct rules and compares.
func BenchmarkVerify(b *testing.B) {
	eachSize(b, func(b *testing.B, p *ir.Program, comments bool) {
		r := newRig(b)
		text := bigEmit(b, p, comments)
		r.apply(Diff(r.observe(), bigParse(b, text)))
		var observing, all measured
		for b.Loop() {
			all.run(func() {
				m := bigParse(b, text)
				var s *State
				observing.run(func() { s = r.observe() })
				if !Diff(s, m).Empty() {
					b.Fatal("it differs")
				}
			})
		}
		observing.report(b, "observe")
		all.report(b, "all")
	})
}

// some are the Services i to i+n of a program, as a fragment.
func some(p *ir.Program, i, n int) *ir.Program {
	return &ir.Program{Node: p.Node, ClusterIPs: p.ClusterIPs[i : i+n], Pools: p.Pools[i : i+n], Frontends: p.Frontends[i : i+n]}
}

// changed is the fragment of Service i with one endpoint replaced, or one less.
func changedService(p *ir.Program, i int, address netip.AddrPort) *ir.Program {
	f := some(p, i, 1)
	pool := f.Pools[0]
	if address.IsValid() {
		pool.Endpoints = append([]ir.Endpoint(nil), pool.Endpoints...)
		pool.Endpoints[2].Address = address
	} else {
		pool.Endpoints = pool.Endpoints[:4]
	}
	f.Pools = []ir.Pool{pool}
	return f
}

// BenchmarkChange is one change of a Live, from two fragments to the kernel's
// answer, and back again: each of the two is counted once.
func BenchmarkChange(b *testing.B) {
	eachSize(b, func(b *testing.B, p *ir.Program, comments bool) {
		for _, kind := range []struct {
			name string
			next func(i int) *ir.Program
		}{
			{"endpoint", func(i int) *ir.Program {
				return changedService(p, i, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 200, byte(i >> 8), byte(i)}), 80))
			}},
			{"pool", func(i int) *ir.Program { return changedService(p, i, netip.AddrPort{}) }},
			{"service", func(int) *ir.Program { return &ir.Program{Node: p.Node} }},
			{"nothing", func(i int) *ir.Program { return some(p, i, 1) }},
		} {
			b.Run(kind.name, func(b *testing.B) { benchmarkChange(b, p, comments, kind.next) })
		}
	})
}

func benchmarkChange(b *testing.B, p *ir.Program, comments bool, next func(i int) *ir.Program) {
	r := newRig(b)
	m := bigParse(b, bigEmit(b, p, comments))
	r.apply(Diff(r.observe(), m))
	l := NewLive(m)
	var all, planning measured
	change := func(before, after *ir.Program) {
		all.run(func() {
			old, now := bigEmit(b, before, comments), bigEmit(b, after, comments)
			var plan *Plan
			planning.run(func() {
				var err error
				if plan, err = l.Change(old, now); err != nil {
					b.Fatal(err)
				}
			})
			r.apply(plan)
			l.Commit(plan)
		})
	}
	i := 0
	for b.Loop() {
		i = (i + 7919) % len(p.Frontends)
		old, now := some(p, i, 1), next(i)
		change(old, now)
		change(now, old)
	}
	all.report(b, "change")
	planning.report(b, "plan")
}

// BenchmarkReplace is one policy changed among many, from whole artifacts.
func BenchmarkReplace(b *testing.B) {
	p := irtest.ManyServices(10000)
	addProfiles(p, 250)
	r := newRig(b)
	text := bigEmit(b, p, true)
	m := bigParse(b, text)
	r.apply(Diff(r.observe(), m))
	l := NewLive(m)
	var emitting, planning, applying measured
	i := 0
	for b.Loop() {
		i++
		q := &p.Policy.Profiles[i%250].Ingress[0].Rules[0].Ports[0]
		q.First, q.Last = uint16(i%2000+1), uint16(i%2000+1)
		emitting.run(func() { text = bigEmit(b, p, true) })
		var plan *Plan
		planning.run(func() {
			var err error
			if plan, err = l.Replace(text); err != nil {
				b.Fatal(err)
			}
		})
		applying.run(func() { r.apply(plan); l.Commit(plan) })
	}
	emitting.report(b, "emit")
	planning.report(b, "plan")
	applying.report(b, "apply")
}

// peakRSS is the most memory that this process ever had, in MB.
func peakRSS() float64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return float64(u.Maxrss) / 1024
}
