package resolve

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
)

// longestName bounds row IDs, so that they can be part of names; longer contents
// are hashed.
const longestName = 40

// content spells a row out: "accept", "deny", "only-tcp80-udp53" where the
// ranges are accepted and "but-tcp22" where they are denied.
func (r *Row) content() string {
	if len(r.Except) == 0 {
		if r.Accept {
			return "accept"
		}
		return "deny"
	}
	var b strings.Builder
	b.WriteString("only")
	if r.Accept {
		b.Reset()
		b.WriteString("but")
	}
	for _, p := range r.Except {
		b.WriteString("-" + p.Protocol.String())
		if p.First == 0 && p.Last == 65535 {
			continue
		}
		b.WriteString(strconv.Itoa(int(p.First)))
		if p.Last != p.First {
			b.WriteString("-" + strconv.Itoa(int(p.Last)))
		}
	}
	return b.String()
}

// rowName is the row's ID: its content, or where that is long what it begins
// with, how many ranges there are, and 48 bits of a hash.
func rowName(r Row, content string) string {
	if len(content) <= longestName {
		return content
	}
	kind, _, _ := strings.Cut(content, "-")
	sum := sha256.Sum256([]byte(content))
	return fmt.Sprintf("%s-%d-ranges-%s", kind, len(r.Except), hex.EncodeToString(sum[:6]))
}

// String writes the row for people.
func (r *Row) String() string {
	if len(r.Except) == 0 {
		return r.content() + " all"
	}
	words := make([]string, len(r.Except))
	for i, p := range r.Except {
		words[i] = portWords(p)
	}
	if r.Accept {
		return "accept all but " + strings.Join(words, ", ")
	}
	return "accept only " + strings.Join(words, ", ")
}

func portWords(p ir.PortRange) string {
	if p.First == 0 && p.Last == 65535 {
		return p.Protocol.String()
	}
	return p.String()
}
