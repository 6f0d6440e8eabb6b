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
	protocols := append(ir.Protocols(), ir.ICMP)
	for seed := range uint64(programs) {
		p, _ := randomProgram(t, seed)
		e, tables := eval.New(p), resolve.New(&p.Policy, nil)
		peers := addresses(p)
		for _, profile := range tables.Profiles {
			pod := profile.Pods[0].Addresses[0]
			for _, d := range ir.Directions() {
				for _, peer := range peers {
					for _, proto := range protocols {
						for _, port := range append([]uint16{0}, irtest.PolicyPorts...) {
							total++
							want, _ := e.Judge(d, pod, peer, proto, port)
							if got := tables.Accepts(profile.Table(d), peer, proto, port); got != want.Accept {
								t.Fatalf("seed %d: %s %v %v %d/%v: tables %v, rules %v\n%s", seed, profile.ID, d, peer, port, proto, got, want, p.Text())
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d programs, %d packets", programs, total)
	if total < programs*1000 {
		t.Errorf("only %d packets", total)
	}
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
				for i, r := range table.Rows {
					used[r.Row] = true
					if r.Row == table.Default || i > 0 && table.Rows[i-1].Class >= r.Class {
						t.Fatalf("seed %d: %s: row %d", seed, profile.ID, i)
					}
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
				row, rows := tables.Compact(table)
				compact := resolve.Table{Default: row, Rows: rows}
				for _, c := range append(tables.Classes, resolve.Class{}) {
					if got, want := compact.Row(c.ID), table.Row(c.ID); got != want {
						t.Fatalf("seed %d: class %08x: row %d, want %d", seed, c.ID, got, want)
					}
				}
				if len(rows) > len(table.Rows)+1 {
					t.Fatalf("seed %d: %d rows instead of %d", seed, len(rows), len(table.Rows))
				}
				if len(rows) < len(table.Rows) {
					smaller++
				}
			}
		}
	}
	if smaller == 0 {
		t.Error("no table got smaller")
	}
}
