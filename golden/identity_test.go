package golden

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
)

// weakHash has four values only, so that nearly all names and numbers collide.
func weakHash(b []byte) (sum [sha256.Size]byte) {
	sum[0] = sha256.Sum256(b)[0] & 3
	return sum
}

// TestCollisions compiles and emits with a hash that makes objects collide
// constantly: each of them must still be enforced, in every backend.
func TestCollisions(t *testing.T) {
	options := backends.DefaultOptions()
	options.Hash = weakHash
	for _, b := range registry.All(options) {
		t.Run(b.Name(), func(t *testing.T) {
			t.Parallel()
			interpret := interpreter(b)
			var count interptest.Count
			for s := range uint64(60) {
				c := randomcluster.New(s + 1)
				c.Config.Hash = weakHash
				p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
				if err := ir.Verify(p); err != nil {
					t.Fatalf("seed %d: %v", s+1, err)
				}
				packets := interptest.Packets(s, p, 500)
				count.Add(interptest.Program(t, fmt.Sprintf("seed %d", s+1), p, b, interpret, packets, 300))
			}
			count.Add(interptest.RunPolicies(t, b, interpret, 1, 100, 300))
			t.Log(count)
		})
	}
}
