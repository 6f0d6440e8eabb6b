package nftables

import (
	"regexp"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
)

var chainHead = regexp.MustCompile(`(?m)^\tchain (\S+) \{\n\t\t([^\n]*)`)

// TestStanding holds Standing against what is emitted: a chain that nothing leads
// to is one that it names, and those are all there in a table that has one.
func TestStanding(t *testing.T) {
	for name, p := range goldens() {
		for _, table := range strings.Split(emit(t, p, backends.DefaultOptions()), "\ntable ") {
			all := 0
			for _, m := range chainHead.FindAllStringSubmatch(table, -1) {
				led := regexp.MustCompile(`(jump|goto) ` + regexp.QuoteMeta(m[1]) + `[\s,]`).MatchString(table)
				if Standing(m[1]) {
					all++
				} else if !led && !strings.HasPrefix(m[2], "type ") {
					t.Errorf("%s: nothing leads to chain %s", name, m[1])
				}
			}
			if all != 0 && all != standing {
				t.Errorf("%s: %d standing chains, want %d", name, all, standing)
			}
		}
	}
	for _, name := range []string{"pick-0", "pick-9", "pick-", "pick-x", "nodeport-pick-1", "masquerade-pick-1", "draw-1", "services"} {
		if Standing(name) {
			t.Errorf("%s stands", name)
		}
	}
}
