package manifest

import (
	"bytes"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// outcome is the result of some pieces.
type outcome struct {
	set     objects.Set
	diags   diag.List
	skipped tally
	// pending are list items that must wait until the list's type is known.
	pending []piece
	// unread reports that a piece has no meaning on its own.
	unread bool
}

func (o *outcome) add(other *outcome) {
	o.set.Append(other.set)
	o.diags = append(o.diags, other.diags[:min(len(other.diags), maxAllDiagnostics-len(o.diags))]...)
	o.skipped.add(other.skipped)
	for _, p := range other.pending {
		if len(o.pending) >= maxPending {
			o.skipped.count(unknownKind, 1)
			continue
		}
		// The text is part of a much larger batch.
		p.text = bytes.Clone(p.text)
		o.pending = append(o.pending, p)
	}
	o.unread = o.unread || other.unread
}

// report adds a diagnostic with a bounded message, because most messages
// quote the file.
func (o *outcome) report(code diag.Code, at ir.Origin, message string) {
	const longest = 400
	if len(message) > longest {
		message = strings.ToValidUTF8(message[:longest], "") + "..."
	}
	if len(o.diags) >= maxAllDiagnostics {
		return
	}
	o.diags.Add(code, at, message)
}
