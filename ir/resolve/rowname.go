package resolve

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// longestName bounds row IDs in bytes, so that they can be part of names; longer
// contents are hashed.
const longestName = 40

// appendContent formats a row: "accept", "deny", "only-tcp80-udp53" if the
// ranges are accepted and "but-tcp22" if they are denied. What is logged and the
// rows of source ports follow; rows are those that Sources refer to.
func (r *Row) appendContent(b []byte, rows []Row) []byte {
	b = appendRanges(b, r.Accept, r.Except)
	for _, l := range r.Logs {
		b = appendRanges(strconv.AppendQuote(append(b, " log "...), l.Prefix), l.Every, l.Except)
	}
	for _, s := range r.Sources {
		b = append(s.Ports.AppendTo(append(b, " from "...)), ' ')
		b = append(b, rows[s.Row].ID...)
	}
	return b
}

// LogName is a name for a log that is made from its content.
func LogName(l *Log) string {
	names := identity.Names{}
	content := string(appendRanges(strconv.AppendQuote(nil, l.Prefix), l.Every, l.Except))
	return names.Of("", content, identity.Lower)
}

// appendRanges formats which packets a row accepts, or logs.
func appendRanges(b []byte, every bool, except []ir.PortRange) []byte {
	word := "only"
	switch {
	case len(except) == 0 && every:
		return append(b, "accept"...)
	case len(except) == 0:
		return append(b, "deny"...)
	case every:
		word = "but"
	}
	b = append(b, word...)
	for _, p := range except {
		b = append(append(b, '-'), p.Protocol.String()...)
		if p.Every() {
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
	if len(content) <= longestName && r.Plain() {
		return content
	}
	kind, _, _ := strings.Cut(string(appendRanges(nil, r.Accept, r.Except)), "-")
	kind += fmt.Sprintf("-%d-ranges-", len(r.Except))
	if len(r.Logs) > 0 {
		kind += "log-"
	}
	if len(r.Sources) > 0 {
		kind += "source-"
	}
	return names.Of(kind, content, identity.Lower)
}
