package clusterwide

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/ir"
)

// Ends are the addresses of one end of a connection.
type Ends struct {
	Addresses map[ir.Family]netip.Addr // at most one of each family
	Primary   ir.Family                // the family that it prefers
}

// Signature is everything that policies distinguish about an end.
func (x *Policies) Signature(e *Ends) string {
	s := fmt.Sprint(e.Primary)
	for _, f := range []ir.Family{ir.IPv4, ir.IPv6} {
		if a, have := e.Addresses[f]; have {
			s += fmt.Sprintf(" %d:%d:%d", f, x.profiles[a], x.Class(a))
		}
	}
	return s
}
