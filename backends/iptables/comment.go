package iptables

import (
	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// appendComment appends ` -m comment --comment "namespace/name:port"`. The quotes
// are those of iptables-save, which quotes every comment with a slash.
func appendComment(b []byte, s *ir.ServicePort) []byte {
	return append(backends.AppendName(append(b, ` -m comment --comment "`...), *s), '"')
}
