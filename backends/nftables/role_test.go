package nftables

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/randomcluster"
)

var (
	chainHead = regexp.MustCompile(`(?m)^\tchain (\S+) \{\n\t\t([^\n]*)`)
	tableHead = regexp.MustCompile(`(?m)^table (?:ip|ip6) (\S+) \{$`)
	anyHead   = regexp.MustCompile(`(?m)^\t(set|map|chain) (\S+) \{$`)
)

// eachText calls f with all texts that are kept and with those of random programs.
func eachText(t *testing.T, f func(text string)) {
	t.Helper()
	for _, pattern := range []string{"../../golden/cases/*/nftables/rules.nft", "testdata/*.nft"} {
		list, err := filepath.Glob(pattern)
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(list), err)
		}
		for _, path := range list {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f(string(text))
		}
	}
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 11))
		p := irtest.RandomProgram(rng)
		irtest.AddRandomDialects(rng, p)
		f(emit(t, p, backends.DefaultOptions()))
		c := randomcluster.New(seed)
		both := backends.DefaultOptions()
		both.PoliciesAtInterfaces, both.UntrackedPods = true, seed%2 == 0
		f(emitBeside(t, p, both))
		p, _ = compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		f(emit(t, p, backends.DefaultOptions()))
	}
}

// TestEveryNameHasARole reads the names of everything that is emitted, and finds every
// role. The kernel calls the chains whose role says so, and no others; only a map leads
// to a chain that has a role of those that come and go with elements.
func TestEveryNameHasARole(t *testing.T) {
	seen := make(map[Role]bool)
	eachText(t, func(text string) {
		for _, m := range tableHead.FindAllStringSubmatch(text, -1) {
			if m[1] != TableName {
				t.Fatalf("table %s", m[1])
			}
		}
		for _, m := range anyHead.FindAllStringSubmatch(text, -1) {
			role := RoleOfSet(m[2])
			if m[1] == "chain" {
				role = RoleOfChain(m[2])
			}
			if role == NoRole {
				t.Fatalf("%s %s has no role", m[1], m[2])
			}
			seen[role] = true
		}
		for _, m := range chainHead.FindAllStringSubmatch(text, -1) {
			role := RoleOfChain(m[1])
			if called := strings.HasPrefix(m[2], "type "); called != (role == Hook || role == PolicyHook) {
				t.Fatalf("chain %s: the kernel calls it: %v", m[1], called)
			}
		}
	})
	for role := Frontends; role <= Row; role++ {
		if !seen[role] {
			t.Errorf("nothing has the role %d", role)
		}
	}
}

// TestRoles gives some names a role by hand, and names that this backend does not give
// none.
func TestRoles(t *testing.T) {
	for name, want := range map[string]Role{
		"pick-1": StandingPick, "pick-8": StandingPick, "pick-9": Choosing, "nodeport-pick-1": Choosing,
		"masquerade-pick-1": Marking, "masquerade-remote-nodeport-external-affinity-60": Marking,
		"external-rebind-60": Choosing, "draw-1": Choosing, "local-none-else-pick-2": Split,
		"in-web": Profile, "row-1": Row, "policy-input": PolicyHook, "judged": Judged, "services": Dispatch,
		"pick-": NoRole, "pick-x": NoRole, "pick--1": NoRole, "masquerade-": NoRole, "remote-pick-1": NoRole,
		"hosts": NoRole, "ingress": NoRole, "policy-": NoRole, "": NoRole, "odd1": NoRole,
	} {
		if got := RoleOfChain(name); got != want {
			t.Errorf("chain %q: role %d, want %d", name, got, want)
		}
	}
	for name, want := range map[string]Role{
		"services": Frontends, "nodeport-external-endpoints": Endpoints, "external-affinity-endpoints": Endpoints,
		"nodeport-affinity-services": ServiceIDs, "ingress": IngressPods, "egress-pods": Answering, "out-web": ProfileRows,
		"nodeport-addresses": NodeFacts, "pick-1": NoRole, "addresses": NoRole, "nodeport-": NoRole, "": NoRole,
	} {
		if got := RoleOfSet(name); got != want {
			t.Errorf("set %q: role %d, want %d", name, got, want)
		}
	}
}
