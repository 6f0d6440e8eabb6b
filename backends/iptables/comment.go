package iptables

import "github.com/planec/planec/ir"

// maxComment bounds a comment: xt_comment holds 256 bytes with the final NUL
// (XT_MAX_COMMENT_LEN), nftables' own comments half of that.
const maxComment = 120

// appendComment appends ` -m comment --comment "namespace/name:port"`.
// iptables-save quotes whatever has a slash, and inside the quotes escapes
// quotes and backslashes; only characters that need neither pass. A name that
// had to be changed or shortened ends in a hash of the whole one.
func appendComment(b []byte, s *ir.ServicePort) []byte {
	b = append(b, ` -m comment --comment "`...)
	start, changed := len(b), false
	b, changed = appendPlain(b, s.Namespace, changed)
	b = append(b, '/')
	b, changed = appendPlain(b, s.Name, changed)
	if s.Port != "" {
		b = append(b, ':')
		b, changed = appendPlain(b, s.Port, changed)
	}
	if changed || len(b)-start > maxComment {
		b = append(b[:min(len(b), start+maxComment-1-hashLength)], '~')
		b = append(b, hashOf(s.Namespace, s.Name, s.Port)...)
	}
	return append(b, '"')
}

// appendPlain appends s with every byte replaced that Kubernetes would not
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
