package diag

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/planec/planec/ir"
)

// Severity orders diagnostics by their weight for the user.
type Severity uint8

// The severities. An Error means that something was left out of the program
// (and fails with --strict), a Warning that something is probably not what the
// user meant, an Info that planec made a decision worth knowing.
const (
	Info Severity = iota + 1
	Warning
	Error
)

// String returns "info", "warning" or "error".
func (s Severity) String() string {
	if s < Info || s > Error {
		return "unknown"
	}
	return [...]string{"info", "warning", "error"}[s-Info]
}

// Diagnostic is one finding about the input.
type Diagnostic struct {
	Code    Code      // the kind of finding
	Message string    // what was found in this object: one line without a full stop
	Origin  ir.Origin // where it was found; the zero value is the command line
	// Note marks a finding that does not matter to this user, for example about a
	// backend that was not selected. It has the severity [Info], whatever its code says.
	Note bool
}

// Severity returns the severity of the diagnostic: that of its code, or Info.
func (d Diagnostic) Severity() Severity {
	if d.Note {
		return Info
	}
	return d.Code.Info().Severity
}

// Hint returns what the user can do about the finding.
func (d Diagnostic) Hint() string { return d.Code.Info().Hint }

// String returns one line:
// "file:line: error PLC0102: Service shop/cart spec.clusterIP: message".
func (d Diagnostic) String() string {
	var b strings.Builder
	if pos := d.Origin.Position(); pos != "" {
		b.WriteString(pos + ": ")
	}
	b.WriteString(d.Severity().String() + " " + string(d.Code) + ": ")
	if o := d.Origin.Object(); o != "" {
		b.WriteString(o)
		if d.Origin.Path != "" {
			b.WriteString(" " + d.Origin.Path)
		}
		b.WriteString(": ")
	}
	b.WriteString(d.Message)
	return Printable(b.String())
}

// Printable returns s with every character replaced that could move a terminal's
// cursor, start a new line, change the text direction, or be invisible: object names
// and values are hostile.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if Moves(r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// Moves reports whether [Printable] replaces the character: controls, line breaks,
// format characters (bidirectional marks, joiners, zero-width spaces, tags), and
// letters without a glyph.
func Moves(r rune) bool {
	switch {
	case r < ' ':
		return true
	case r < 0x7f:
		return false
	case r < 0xa0, r == '\u2028', r == '\u2029':
		return true
	case r == '\u034F', r == '\u115F', r == '\u1160', r == '\u3164', r == '\uFFA0', r >= '\uFE00' && r <= '\uFE0F', r >= 0xE0000 && r <= 0xE0FFF:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

// List is a list of diagnostics.
type List []Diagnostic

// Add appends one diagnostic.
func (l *List) Add(code Code, origin ir.Origin, message string) {
	*l = append(*l, Diagnostic{Code: code, Origin: origin, Message: message})
}

// Sort brings the list into its canonical order (position, object, path,
// code, message) and removes duplicates.
func (l *List) Sort() {
	slices.SortFunc(*l, compare)
	*l = slices.Compact(*l)
}

func compare(a, b Diagnostic) int {
	return cmp.Or(
		cmp.Compare(a.Origin.File, b.Origin.File),
		cmp.Compare(a.Origin.Line, b.Origin.Line),
		cmp.Compare(a.Origin.Kind, b.Origin.Kind),
		cmp.Compare(a.Origin.Namespace, b.Origin.Namespace),
		cmp.Compare(a.Origin.Name, b.Origin.Name),
		cmp.Compare(a.Origin.Path, b.Origin.Path),
		cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Message, b.Message),
	)
}

// Count returns the number of diagnostics with the severity.
func (l List) Count(s Severity) int {
	n := 0
	for _, d := range l {
		if d.Severity() == s {
			n++
		}
	}
	return n
}
