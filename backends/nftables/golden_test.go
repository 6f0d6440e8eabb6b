package nftables

import (
	"flag"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

var update = flag.Bool("update", false, "rewrite testdata")

// goldens are the programs whose text is kept; the kernel tests load each.
func goldens() map[string]*ir.Program {
	all := irtest.Goldens("a\"b\n} ; flush ruleset\\\x00$x@y #")
	rejecting := policed()
	rejecting.Policy.OnDeny = ir.Reject
	rejecting.Pools, rejecting.Frontends, rejecting.ClusterIPs, rejecting.Masquerade = nil, nil, nil, ir.Masquerade{}
	hostilePods := policed()
	for i := range hostilePods.Policy.Peers {
		hostilePods.Policy.Peers[i].Name = "p\"}\n" + strings.Repeat("n", 253)
	}
	for i := range hostilePods.Policy.Profiles {
		hostilePods.Policy.Profiles[i].Pods[0].Namespace = "\\\" ; flush ruleset"
	}
	hostilePods.Policy.Profiles[0].ID = strings.Repeat("a.b/c-d/", 12) // as long as can be
	hostilePods.Normalize()
	all["policies"], all["policies-only"], all["hostile-pods"] = policed(), rejecting, hostilePods
	return all
}

func TestGolden(t *testing.T) {
	for name, p := range goldens() {
		t.Run(name, func(t *testing.T) {
			got := emit(t, p, backends.DefaultOptions())
			irtest.CompareGolden(t, name+".nft", got, *update)
		})
	}
}
