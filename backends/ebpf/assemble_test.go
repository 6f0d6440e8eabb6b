package ebpf

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// TestAssemble takes images apart and makes them again of their Services and the rest: the
// bytes are the same, also where a kernel keeps the Services in another order and each
// route has a pool of its own.
func TestAssemble(t *testing.T) {
	programs := []*ir.Program{kitchenSink(), policed(), dialects(), {Node: ir.Node{Name: "empty"}}}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 21))
		p := irtest.RandomProgram(rng)
		switch seed % 3 {
		case 0:
			irtest.AddRandomPolicy(rng, p)
		case 1:
			irtest.AddRandomDialects(rng, p)
		}
		programs = append(programs, p)
	}
	rng := rand.New(rand.NewPCG(1, 22))
	for i, p := range programs {
		img, err := New(backends.Options{NoComments: true}).Image(p)
		if err != nil {
			t.Fatal(err)
		}
		entries := img.Entries()
		for j := range entries {
			e := &entries[j]
			e.InternalPool, e.ExternalPool = slices.Clone(e.InternalPool), slices.Clone(e.ExternalPool)
		}
		rng.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		layout.SortEntries(entries)
		again, err := Assemble(entries, restOf(img))
		if err != nil {
			t.Fatalf("program %d: %v", i, err)
		}
		if !bytes.Equal(again.Bytes(), img.Bytes()) {
			t.Fatalf("program %d: another image:\n%s\n%s", i, img.Text(), again.Text())
		}
	}
}

// restOf is what a kernel has of an image beside its Services.
func restOf(img *Image) (rest [layout.NumMaps][]byte) {
	for i := range rest {
		if !layout.InStoreMaps(i) {
			rest[i] = bytes.Clone(img.maps[i].data)
		}
	}
	info := img.Rest()
	rest[layout.Meta] = info.Append(nil)
	return rest
}

// TestAssembleRefuses gives Assemble what no kernel should have.
func TestAssembleRefuses(t *testing.T) {
	img := imageOf(t, kitchenSink())
	for want, change := range map[string]func(e []layout.Entry, rest *[layout.NumMaps][]byte) []layout.Entry{
		"meta: 7 bytes": func(e []layout.Entry, rest *[layout.NumMaps][]byte) []layout.Entry {
			rest[layout.Meta] = rest[layout.Meta][:7]
			return e
		},
		"no whole number": func(e []layout.Entry, rest *[layout.NumMaps][]byte) []layout.Entry {
			rest[layout.Addresses] = rest[layout.Addresses][1:]
			return e
		},
		"not in order": func(e []layout.Entry, _ *[layout.NumMaps][]byte) []layout.Entry {
			return append(e, e[0])
		},
		"never drawn": func(e []layout.Entry, _ *[layout.NumMaps][]byte) []layout.Entry {
			e[4].InternalPool = append(slices.Clone(e[4].InternalPool), e[4].InternalPool...)
			return e
		},
		"something else": func(e []layout.Entry, _ *[layout.NumMaps][]byte) []layout.Entry {
			e[3].ID = 1 // an address of a ClusterIP
			return e
		},
		"both families": func(e []layout.Entry, _ *[layout.NumMaps][]byte) []layout.Entry {
			i := slices.IndexFunc(e, func(e layout.Entry) bool { return len(e.SourceRanges) > 0 })
			e[i].SourceRanges = append(slices.Clone(e[i].SourceRanges), netip.MustParsePrefix("2001:db8::/64"))
			return e
		},
	} {
		rest := restOf(img)
		entries := change(img.Entries(), &rest)
		if _, err := Assemble(entries, rest); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, got %v", want, err)
		}
	}
}

// TestEqualPoolsAreOne: pools of two names and one content are laid out once, by the first
// key that uses them, whatever they are called.
func TestEqualPoolsAreOne(t *testing.T) {
	p := kitchenSink()
	before := imageOf(t, p)
	for i := range p.Frontends {
		if f := &p.Frontends[i]; f.Internal.Pool == f.External.Pool {
			twin := p.Pools[slices.IndexFunc(p.Pools, func(x ir.Pool) bool { return x.ID == f.Internal.Pool })]
			twin.ID = "0-" + twin.ID
			if !slices.ContainsFunc(p.Pools, func(x ir.Pool) bool { return x.ID == twin.ID }) {
				p.Pools = append(p.Pools, twin)
			}
			f.External.Pool = twin.ID
		}
	}
	p.Normalize()
	if after := imageOf(t, p); after.Digest() != before.Digest() {
		t.Errorf("equal pools change the image:\n%s\n%s", before.Text(), after.Text())
	}
}
