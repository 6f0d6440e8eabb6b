package resolve

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/planec/planec/ir/identity"
)

// longestName bounds row IDs in bytes, so that they can be part of names; longer
// contents are hashed.
const longestName = 40

// appendContent formats a row: "accept", "deny", "only-tcp80-udp53" if the
// ranges are accepted and "but-tcp22" if they are denied.
func (r *Row) appendContent(b []byte) []byte {
	word := "only"
	switch {
	case len(r.Except) == 0 && r.Accept:
		return append(b, "accept"...)
	case len(r.Except) == 0:
		return append(b, "deny"...)
	case r.Accept:
		word = "but"
	}
	b = append(b, word...)
	for _, p := range r.Except {
		b = append(append(b, '-'), p.Protocol.String()...)
		if p.First == 0 && p.Last == 65535 {
			continue
		}
		b = strconv.AppendUint(b, uint64(p.First), 10)
		if p.Last != p.First {
			b = strconv.AppendUint(append(b, '-'), uint64(p.Last), 10)
		}
	}
	return b
}

// rowName is the row's ID: its content, or for long content its beginning,
// the number of ranges, and a hash.
func rowName(r *Row, content string, names *identity.Names) string {
	if len(content) <= longestName {
		return content
	}
	kind, _, _ := strings.Cut(content, "-")
	return names.Of(fmt.Sprintf("%s-%d-ranges-", kind, len(r.Except)), content, identity.Lower)
}
