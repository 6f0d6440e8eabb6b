package backends

import (
	"fmt"
	"hash/fnv"

	"github.com/planec/planec/ir"
)

// maxName bounds the name of a Service port in a comment, in bytes. It fits
// the smallest limit: libnftnl keeps 128 bytes with the final NUL
// (NFTNL_UDATA_COMMENT_MAXLEN), xt_comment and ipset 256.
const maxName = 120

// AppendName appends "namespace/name:port" for use between quotes in any rule
// language. Only characters without a special meaning pass, because nft and
// ipset have no escapes. A name that was changed or shortened ends in a hash of
// the original.
func AppendName(b []byte, s ir.ServicePort) []byte {
	start, changed := len(b), false
	b, changed = appendPlain(b, s.Namespace, changed)
	b = append(b, '/')
	b, changed = appendPlain(b, s.Name, changed)
	if s.Port != "" {
		b = append(b, ':')
		b, changed = appendPlain(b, s.Port, changed)
	}
	if changed || len(b)-start > maxName {
		b = appendHash(b[:min(len(b), start+maxName-len("~0011223344556677"))], s)
	}
	return b
}

// AppendComment appends ` comment "namespace/name:port"` in the syntax of nft and ipset.
func AppendComment(b []byte, s ir.ServicePort) []byte {
	return append(AppendName(append(b, ` comment "`...), s), '"')
}

// appendPlain appends s and replaces every byte that Kubernetes does not
// allow in the name of a Service or a port.
func appendPlain(b []byte, s string, changed bool) ([]byte, bool) {
	for i := range len(s) {
		c := s[i]
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_'
		if !ok {
			c, changed = '?', true
		}
		b = append(b, c)
	}
	return b, changed
}

func appendHash(b []byte, s ir.ServicePort) []byte {
	h := fnv.New64a()
	for _, part := range []string{s.Namespace, s.Name, s.Port} {
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	return fmt.Appendf(b, "~%016x", h.Sum64())
}
