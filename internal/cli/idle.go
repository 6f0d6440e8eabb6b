package cli

import (
	"fmt"

	"github.com/planec/planec/compiler"
)

// idleNote names the policies that select no pod of the input, because results
// about its pods do not cover them; "" if there are none.
func idleNote(c *compiler.Cluster) string {
	idle := c.IdlePolicies()
	switch len(idle) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s selects no pod of the input, so what it does is not shown", idle[0].Object())
	}
	return fmt.Sprintf("%d policies select no pod of the input, as %s, so what they do is not shown", len(idle), idle[0].Object())
}
