package cli

import (
	"context"
	"fmt"

	"github.com/planec/planec/internal/agent/firewall"
	"github.com/planec/planec/ir"
)

// warnOfFirewall says which chains of other programs will drop traffic of Services.
// What cannot be read is no reason not to apply, which then says why itself.
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
