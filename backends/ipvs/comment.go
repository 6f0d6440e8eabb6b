package ipvs

import (
	"hash/fnv"
	"strconv"

	"github.com/planec/planec/ir"
)

// maxComment bounds a comment; ipset would store 255 bytes
// (IPSET_MAX_COMMENT_SIZE), which is more than a terminal shows.
const maxComment = 120

// appendComment appends ` comment "namespace/name:port"`. ipset has no escapes
// inside quotes, so only characters that mean nothing to anyone pass; a name
// that had to be changed or shortened ends in a hash of the whole one.
func appendComment(b []byte, s ir.ServicePort) []byte {
	b = append(b, ` comment "`...)
	start, changed := len(b), false
	b, changed = appendPlain(b, s.Namespace, changed)
	b = append(b, '/')
	b, changed = appendPlain(b, s.Name, changed)
	if s.Port != "" {
		b = append(b, ':')
		b, changed = appendPlain(b, s.Port, changed)
	}
	if changed || len(b)-start > maxComment {
		b = appendHash(b[:min(len(b), start+maxComment-len("~0011223344556677"))], s)
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

func appendHash(b []byte, s ir.ServicePort) []byte {
	h := fnv.New64a()
	for _, part := range []string{s.Namespace, s.Name, s.Port} {
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	b = append(b, '~')
	sum := strconv.FormatUint(h.Sum64(), 16)
	for range 16 - len(sum) {
		b = append(b, '0')
	}
	return append(b, sum...)
}
