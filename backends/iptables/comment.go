package iptables

import (
	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// appendComment appends ` -m comment --comment "namespace/name:port"`;
// iptables-save quotes whatever has a slash.
func appendComment(b []byte, s *ir.ServicePort) []byte {
	return append(backends.AppendName(append(b, ` -m comment --comment "`...), *s), '"')
}
