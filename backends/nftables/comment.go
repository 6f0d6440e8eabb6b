package nftables

import (
	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// appendComment appends ` comment "namespace/name:port"`.
func appendComment(b []byte, s ir.ServicePort) []byte {
	return append(backends.AppendName(append(b, ` comment "`...), s), '"')
}
