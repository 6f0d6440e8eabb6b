package cli

import (
	"context"
	"fmt"

	"github.com/planec/planec/internal/agent/firewall"
	"github.com/planec/planec/ir"
)

// warnOfFirewall reports chains of other programs that drop traffic of Services. It
// ignores chains that it cannot read, because the apply then fails and says why.
func (c *compiled) warnOfFirewall(ctx context.Context, s *Streams) {
	chains, err := firewall.Look(ctx)
	if err != nil {
		return
	}
	needs := firewall.Needs{Families: ir.Families()}
	if c.program != nil {
		needs = firewall.NeedsOf(c.program)
	}
	for _, w := range firewall.Warnings(c.Backend, chains, needs) {
		fmt.Fprintf(s.Err, "warning: %s\n", w)
	}
}
