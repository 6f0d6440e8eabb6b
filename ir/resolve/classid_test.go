package resolve_test

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"testing"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// TestClassIDs holds the IDs, which are hashed by parts, against the hash of the
// whole text, for many classes that have nearly the same sets.
func TestClassIDs(t *testing.T) {
	p := ir.Policy{}
	for i := range 700 {
		except := netip.PrefixFrom(netip.AddrFrom4([4]byte{11, 0, byte(i >> 8), byte(i)}), 32)
		p.AddressSets = append(p.AddressSets, ir.AddressSet{
			ID: fmt.Sprintf("net 0.0.0.0/0 except %03d", i), Prefixes: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, Except: []netip.Prefix{except},
		})
	}
	tables := resolve.New(&p, nil)
	if len(tables.Classes) != 701 {
		t.Fatalf("%d classes", len(tables.Classes))
	}
	for i := range tables.Classes {
		c := &tables.Classes[i]
		h, sets := fnv.New32a(), 0
		for id := range c.Sets() {
			h.Write(append([]byte(id), 0))
			sets++
		}
		if h.Sum32() != c.ID || sets < 699 {
			t.Errorf("class %08x of %d sets, want %08x", c.ID, sets, h.Sum32())
		}
	}
}
