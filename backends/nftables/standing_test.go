package nftables

import (
	"regexp"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
)

// TestStanding holds the role of standing chains against what is emitted: a chain that
// nothing leads to is one of them, and those are all there in a table that has one.
func TestStanding(t *testing.T) {
	for name, p := range goldens() {
		for _, table := range strings.Split(emit(t, p, backends.DefaultOptions()), "\ntable ") {
			all := 0
			for _, m := range chainHead.FindAllStringSubmatch(table, -1) {
				led := regexp.MustCompile(`(jump|goto) ` + regexp.QuoteMeta(m[1]) + `[\s,]`).MatchString(table)
				if RoleOfChain(m[1]) == StandingPick {
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
}
