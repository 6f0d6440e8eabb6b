package resolve_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/resolve"
)

func randomProgram(t *testing.T, seed uint64) (*ir.Program, *rand.Rand) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 11))
	p := irtest.RandomProgram(rng)
	irtest.AddRandomPolicy(rng, p)
	if err := ir.Verify(p); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return p, rng
}

// addresses are all that a policy names, both ends of every prefix and what
// lies beyond them.
func addresses(p *ir.Program) []netip.Addr {
	var out []netip.Addr
	for _, s := range p.Policy.AddressSets {
		out = append(out, s.Addresses...)
		for _, x := range slices.Concat(s.Prefixes, s.Except) {
			last := x.Addr()
			for _, n := range resolve.Ranges([]resolve.Network{{Prefix: x, Class: 1}}, ir.FamilyOf(last)) {
				last = n.Last
			}
			for _, a := range []netip.Addr{x.Addr(), x.Addr().Prev(), last, last.Next()} {
				if a.IsValid() {
					out = append(out, a)
				}
			}
		}
	}
	for _, profile := range p.Policy.Profiles {
		for _, pod := range profile.Pods {
			out = append(out, pod.Addresses...)
		}
	}
	return append(out, irtest.Addrs("8.8.8.8", "2001:4860::8888")...)
}

// TestResolvedAgrees holds the tables against the ordered rules, on everything
// that could tell them apart.
func TestResolvedAgrees(t *testing.T) {
	programs := 300
	if testing.Short() {
		programs = 50
	}
	total := 0
	for seed := range uint64(programs) {
		p, _ := randomProgram(t, seed)
		total += agrees(t, seed, p, addresses(p))
		if seed%5 != 0 {
			continue
		}
		p, rng := dialectProgram(t, seed)
		// Ports and sources multiply, so that a few peers have to do.
		peers := addresses(p)
		rng.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
		total += agrees(t, seed, p, peers[:min(len(peers), 12)])
	}
	t.Logf("%d programs, %d packets", programs, total)
	if total < programs*1000 {
		t.Errorf("only %d packets", total)
	}
}

func dialectProgram(t *testing.T, seed uint64) (*ir.Program, *rand.Rand) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 12))
	p := irtest.RandomProgram(rng)
	irtest.AddRandomDialects(rng, p)
	if err := ir.Verify(p); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return p, rng
}

// transports are the ports, types and protocols that random rules tell apart.
func transports(p *ir.Program) []eval.Transport {
	sources := []uint16{0}
	for _, profile := range p.Policy.Profiles {
		for _, tier := range slices.Concat(profile.Ingress, profile.Egress) {
			if slices.ContainsFunc(tier.Rules, func(r ir.Rule) bool { return len(r.SourcePorts) > 0 }) {
				sources = []uint16{0, 80, 443, 8080, 9000, 65535}
			}
		}
	}
	var out []eval.Transport
	for _, proto := range ir.Protocols() {
		for _, port := range append([]uint16{0}, irtest.PolicyPorts...) {
			for _, from := range sources {
				out = append(out, eval.Transport{Protocol: proto, Port: port, SourcePort: from})
			}
		}
	}
	for _, icmpType := range append([]uint8{1}, irtest.PolicyTypes...) {
		for _, code := range []uint8{0, 1, 255} {
			for _, proto := range []ir.Protocol{ir.ICMP, ir.ICMPv6} {
				out = append(out, eval.Transport{Protocol: proto, Port: ir.TypeAndCode(icmpType, code)})
			}
		}
	}
	for _, number := range []uint8{0, 46, 47, 50, 51, 99, 255} {
		out = append(out, eval.Transport{Protocol: ir.Protocol(number)})
	}
	return out
}

// logOf returns the prefix with which a row logs a packet.
func logOf(row *resolve.Row, q eval.Transport) string {
	if row == nil {
		return ""
	}
	out := ""
	for _, l := range row.Logs {
		if l.Logs(q.Protocol, q.Port) {
			out += l.Prefix
		}
	}
	return out
}

func prefixOf(d eval.Decision) string {
	if d.Log == nil {
		return ""
	}
	return d.Log.Prefix
}

func agrees(t *testing.T, seed uint64, p *ir.Program, peers []netip.Addr) (total int) {
	t.Helper()
	e, tables, packets := eval.New(p), resolve.New(&p.Policy, nil), transports(p)
	for _, profile := range tables.Profiles {
		for _, d := range ir.Directions() {
			judge := e.JudgeNode
			if !profile.Node {
				judge = func(d ir.Direction, peer netip.Addr, q eval.Transport) (eval.Decision, bool) {
					return e.Judge(d, profile.Pods[0].Addresses[0], peer, q)
				}
			}
			for _, q := range packets {
				for _, peer := range peers {
					total++
					want, _ := judge(d, peer, q)
					if got, logged := logOf(tables.RowOf(profile.Table(d), peer, q.Protocol, q.SourcePort), q), prefixOf(want); got != logged {
						t.Fatalf("seed %d: %s %v %v %v: tables log %q, rules %q\n%s", seed, profile.ID, d, peer, q, got, logged, p.Text())
					}
					if got := tables.Accepts(profile.Table(d), peer, q.Protocol, q.Port, q.SourcePort); got != want.Accept {
						t.Fatalf("seed %d: %s %v %v %v from %d: tables %v, rules %v\n%s", seed, profile.ID, d, peer, q, q.SourcePort, got, want, p.Text())
					}
				}
				if d != ir.Ingress || profile.Node {
					continue
				}
				total++
				want, _ := e.JudgeOwn(profile.Pods[0].Addresses[0], q)
				if got := tables.AcceptsOwn(profile.Ingress, q.Protocol, q.Port, q.SourcePort); got != want.Accept {
					t.Fatalf("seed %d: %s own node %v from %d: tables %v, rules %v\n%s", seed, profile.ID, q, q.SourcePort, got, want, p.Text())
				}
			}
		}
	}
	return total
}

// TestRanges holds the disjoint ranges against the longest match.
func TestRanges(t *testing.T) {
	for seed := range uint64(300) {
		p, _ := randomProgram(t, seed)
		tables := resolve.New(&p.Policy, nil)
		tables.Hosts = nil
		for _, f := range ir.Families() {
			ranges := resolve.Ranges(tables.Networks, f)
			for i, r := range ranges {
				if r.First.Compare(r.Last) > 0 || i > 0 && ranges[i-1].Last.Compare(r.First) >= 0 {
					t.Fatalf("seed %d: range %v after %v", seed, r, ranges)
				}
				if i > 0 && ranges[i-1].Class == r.Class && ranges[i-1].Last.Next() == r.First {
					t.Fatalf("seed %d: %v and %v could be one", seed, ranges[i-1], r)
				}
			}
			for _, a := range addresses(p) {
				if ir.FamilyOf(a) != f {
					continue
				}
				want, got := tables.ClassOf(a), uint32(0)
				for _, r := range ranges {
					if r.First.Compare(a) <= 0 && a.Compare(r.Last) <= 0 {
						got = r.Class
					}
				}
				if got != want {
					t.Fatalf("seed %d: %v: ranges %08x, longest match %08x", seed, a, got, want)
				}
			}
		}
	}
}

// TestCanonical wants tables without anything superfluous, equal for equal
// policies.
func TestCanonical(t *testing.T) {
	for seed := range uint64(200) {
		p, _ := randomProgram(t, seed)
		tables := resolve.New(&p.Policy, nil)
		used := make(map[int]bool)
		for _, profile := range tables.Profiles {
			for _, d := range ir.Directions() {
				table := profile.Table(d)
				if table == nil {
					continue
				}
				used[table.Default] = true
				before := uint32(0)
				for i, r := range table.Rows {
					used[r.Row] = true
					if r.Row == table.Default || before >= r.Class {
						t.Fatalf("seed %d: %s: row %d", seed, profile.ID, i)
					}
					before = r.Class
				}
			}
		}
		for i, r := range tables.Rows {
			if i > 0 && tables.Rows[i-1].ID >= r.ID {
				t.Fatalf("seed %d: rows %q and %q", seed, tables.Rows[i-1].ID, r.ID)
			}
		}
		for i, c := range tables.Classes {
			if c.ID == 0 || i > 0 && tables.Classes[i-1].ID >= c.ID {
				t.Fatalf("seed %d: class %v", seed, c)
			}
		}
	}
}

func rowIn(rows map[uint32]int, class uint32, standard int) int {
	if row, listed := rows[class]; listed {
		return row
	}
	return standard
}

// TestCompact wants the same row for every class, from no more entries.
func TestCompact(t *testing.T) {
	smaller := 0
	for seed := range uint64(300) {
		p, _ := randomProgram(t, seed)
		tables := resolve.New(&p.Policy, nil)
		for _, profile := range tables.Profiles {
			for _, d := range ir.Directions() {
				table := profile.Table(d)
				if table == nil {
					continue
				}
				all, compact := make(map[uint32]int), make(map[uint32]int)
				for _, r := range table.Rows {
					all[r.Class] = r.Row
				}
				row, rows := table.Compact()
				for _, r := range rows {
					compact[r.Class] = r.Row
				}
				for _, c := range append(tables.Classes, resolve.Class{}) {
					want := table.Row(c.ID)
					if got := rowIn(compact, c.ID, row); got != want {
						t.Fatalf("seed %d: class %08x: row %d, want %d", seed, c.ID, got, want)
					}
					if got := rowIn(all, c.ID, table.Default); got != want {
						t.Fatalf("seed %d: class %08x: row %d of all, want %d", seed, c.ID, got, want)
					}
				}
				if len(rows) > len(all)+1 {
					t.Fatalf("seed %d: %d rows instead of %d", seed, len(rows), len(all))
				}
				if len(rows) < len(all) {
					smaller++
				}
			}
		}
	}
	if smaller == 0 {
		t.Error("no table got smaller")
	}
}
