package live

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/nftables/expr"

	"github.com/planec/planec/internal/base/nlattr"
	"github.com/planec/planec/internal/text/nft"
)

// TestDumpedForm wants each rule of the artifacts to be, byte by byte, what the kernel
// dumps of it, but for attributes that only other kernels have.
func TestDumpedForm(t *testing.T) {
	r := newRig(t)
	all := artifacts(t)
	compared := make(map[string]int)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		want := parse(t, all[name])
		r.apply(Diff(r.observe(), want))
		have := r.observe().Model
		for _, table := range want.Tables {
			for _, c := range table.Chains {
				for i, rule := range c.Rules {
					dump := have.Table(table.Family).Chain(c.Name).Rules[i].Exprs
					if got := onlyKnown(dump, rule.Exprs); !bytes.Equal(got, rule.Exprs) {
						t.Fatalf("%s, %v %s, rule %d: %q\nsent   %x\ndumped %x", name, table.Family, c.Name, i, expressionNames(rule.Exprs), rule.Exprs, dump)
					}
					for _, e := range expressionNames(rule.Exprs) {
						compared[e]++
					}
				}
			}
		}
	}
	t.Log(compared)
	for name := range dumped {
		if compared[name] == 0 {
			t.Errorf("no artifact has the expression %s", name)
		}
	}
}

// onlyKnown leaves out what of a rule's dump the other has no attribute for.
func onlyKnown(dump, other []byte) []byte {
	var w writer
	var known [][]byte
	for _, e := range nlattr.All(other) {
		known = append(known, nlattr.Get(e, exprData))
	}
	for _, e := range nlattr.All(dump) {
		if len(known) == 0 {
			return nil
		}
		at := w.nest(listElem)
		w.bytes(exprName, nlattr.Get(e, exprName))
		data := w.nest(exprData)
		for kind, value := range nlattr.All(nlattr.Get(e, exprData)) {
			if nlattr.Get(known[0], kind) != nil {
				w.bytes(kind, value)
			}
		}
		w.done(data)
		w.done(at)
		known = known[1:]
	}
	return w.b
}

// TestSeedOfNothing wants a seed of 0 to get into the kernel: without one it takes a
// seed at random, and the rule is another one.
func TestSeedOfNothing(t *testing.T) {
	text := artifacts(t)["../../../golden/cases/affinity-ipv6/nftables/rules.nft"]
	const seed = " seed 0x706c616e"
	if !strings.Contains(text, seed) {
		t.Fatal("the artifact has no seed")
	}
	want := parse(t, strings.ReplaceAll(text, seed, " seed 0x0"))
	r := newRig(t)
	r.apply(Diff(r.observe(), want))
	r.verify(want)
	if list := r.list(); !strings.Contains(list, " seed 0x0 ") {
		t.Errorf("nft does not list the seed:\n%s", list)
	}
}

// TestNoPlace wants what the kernel's dump has no place for to be an error, and not to
// be left out.
func TestNoPlace(t *testing.T) {
	for _, c := range []struct {
		e  expr.Any
		ok bool
	}{
		{&expr.Hash{SourceRegister: 1, DestRegister: 1, Length: 4, Modulus: 2}, true},
		{&expr.Hash{SourceRegister: 1, DestRegister: 1, Length: 4, Modulus: 2, Offset: 1}, false},
		{&expr.Lookup{SourceRegister: 1, SetName: "x", SetID: 1}, false},
		{&expr.Ct{Register: 1, Key: expr.CtKeySRC, Direction: 1}, false},
		{&expr.Numgen{Register: 1, Modulus: 2, Type: 7}, false},
	} {
		if _, err := marshal(nft.IPv4, []expr.Any{c.e}); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.e, err)
		}
	}
}
