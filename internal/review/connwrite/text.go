package connwrite

import (
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/ir/diag"
)

// Text writes a list for people: a block for each destination, and a line for each set of
// ports on which it can be reached.
func Text(w io.Writer, m *connectivity.Map, o *Options) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", Summary(m))
	for _, x := range blocks(m, o) {
		fmt.Fprintf(&b, "\n%s%s\n", x.to, note(x.why))
		width := 0
		for _, l := range x.lines {
			width = max(width, len(l.ports))
		}
		for _, l := range x.lines {
			fmt.Fprintf(&b, "  %-*s  from %s\n", width, l.ports, strings.Join(l.from, ", "))
			for _, c := range l.causes {
				fmt.Fprintf(&b, "  %*s    %s\n", width, "", c)
			}
		}
	}
	textEntries(&b, m, o)
	textDenied(&b, o)
	textExposures(&b, o)
	b.WriteString("\n")
	for _, n := range Notes(m, o) {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	return write(w, b.String())
}

func note(s string) string {
	if s == "" {
		return ""
	}
	return "  (" + s + ")"
}

func textEntries(b *strings.Builder, m *connectivity.Map, o *Options) {
	if len(m.Entries)+len(m.Nowhere) == 0 {
		return
	}
	b.WriteString("\nentry points\n")
	for _, e := range m.Entries {
		for _, l := range entryLines(e) {
			fmt.Fprintf(b, "  %s\n", l)
		}
		for _, c := range entryCauses(m, e, o) {
			fmt.Fprintf(b, "    %s\n", c)
		}
	}
	for _, n := range m.Nowhere {
		fmt.Fprintf(b, "  %v\n", n)
	}
}

// entryLines says what an entry lets through, and what it does not.
func entryLines(e *connectivity.Entry) []string {
	var because []string
	for _, n := range e.Because {
		at := ""
		if p := n.Origin.Position(); p != "" {
			at = " (" + p + ")"
		}
		because = append(because, n.String()+at)
	}
	tail := ", because " + strings.Join(shorten(because, "objects"), ", ")
	var out []string
	if !e.Ports.Empty() {
		out = append(out, fmt.Sprintf("%s → %s on %v%s", e.Via, e.To.Label(), e.Ports, tail))
	}
	if !e.Refused.Empty() {
		out = append(out, fmt.Sprintf("%s → %s on %v is refused by policies, unless they name the controller's pods%s", e.Via, e.To.Label(), e.Refused, tail))
	}
	return out
}

// entryCauses says what lets an entry through or refuses it, if explanations are wanted.
func entryCauses(m *connectivity.Map, e *connectivity.Entry, o *Options) []string {
	if !o.Explain {
		return nil
	}
	list := m.Entering(e)
	if o.Locate != nil {
		o.Locate(list)
	}
	var out []string
	for i := range list {
		out = append(out, fmt.Sprintf("%v: %v", list[i].Ports, &list[i]))
	}
	return out
}

func textDenied(b *strings.Builder, o *Options) {
	for _, d := range o.Asked {
		fmt.Fprintf(b, "\n%v\n", &d)
		for i := range d.Causes {
			fmt.Fprintf(b, "  %v%s\n", &d.Causes[i], onPart(d, i))
		}
	}
}

func onPart(d connectivity.Denied, i int) string {
	if part := d.Causes[i].Ports.String(); part != d.Ports.String() {
		return " on " + part
	}
	return ""
}

// write writes text without anything that terminals would obey.
func write(w io.Writer, s string) error {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = diag.Printable(l)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n"))
	return err
}
