package cnilayout_test

import (
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
)

// TestMain also serves User Mode Linux: inside, this binary is the init process.
func TestMain(m *testing.M) { uml.Main(m) }

// kernelsInside returns the ways to load rules inside: its kernel has no tables of
// nftables for IPv4 and IPv6.
func kernelsInside() []testkit.Kernel {
	list := []testkit.Kernel{testkit.IPVS()}
	for _, k := range testkit.Kernels() {
		if k.Name == "iptables-legacy" {
			list = append(list, k)
		}
	}
	return list
}
