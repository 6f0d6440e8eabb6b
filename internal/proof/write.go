package proof

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/eval"
)

// WriteText writes a certificate for people.
func WriteText(w io.Writer, c *Certificate) error {
	out := bufio.NewWriter(w)
	if c.Proved {
		fmt.Fprintf(out, "proved: node %s, %s: the files do with every packet what the program says%s (%s sets of packets)\n", diag.Printable(c.Node), c.Backend, butFor(c.Excluded), thousands(c.Boxes))
	} else {
		fmt.Fprintf(out, "refuted: node %s, %s: the files do something else than the program says\n", diag.Printable(c.Node), c.Backend)
	}
	for i := range c.Differences {
		writeExample(out, i+1, &c.Differences[i])
	}
	if c.More {
		fmt.Fprintf(out, "  There may be more: --most shows them.\n")
	}
	writeLimits(out, c)
	return out.Flush()
}

// butFor says that some packets were not compared.
func butFor(excluded int) string {
	if excluded == 0 {
		return ""
	}
	return fmt.Sprintf(", but for %s sets that its limits exclude", thousands(excluded))
}

// mostLimits is how many limits a text lists.
const mostLimits = 8

func writeLimits(out io.Writer, c *Certificate) {
	if len(c.Limits) == 0 {
		return
	}
	fmt.Fprintf(out, "  not compared: %s sets of packets, or what else the backend's limits are about:\n", thousands(c.Excluded))
	for i, l := range c.Limits {
		if i == mostLimits {
			fmt.Fprintf(out, "    and %d more\n", len(c.Limits)-i)
			break
		}
		fmt.Fprintf(out, "    %s\n", diag.Printable(l))
	}
}

func writeExample(out io.Writer, n int, e *Example) {
	fmt.Fprintf(out, "  %d. %s\n", n, e.Packet)
	fmt.Fprintf(out, "     the program says %s\n", diag.Printable(e.Want))
	for _, s := range e.Because {
		fmt.Fprintf(out, "       %s\n", diag.Printable(s.String()))
	}
	fmt.Fprintf(out, "     the files do     %s\n", diag.Printable(e.Got))
	for _, r := range e.Rules {
		fmt.Fprintf(out, "       %s\n", diag.Printable(r))
	}
	fmt.Fprintf(out, "     %s, for all packets with\n", diag.Printable(e.Reason))
	writeSet(out, "       ", e.Set)
}

func writeSet(out io.Writer, indent string, set []FieldSet) {
	for _, f := range set {
		more := ""
		if f.More > 0 {
			more = fmt.Sprintf(" and %d more ranges", f.More)
		}
		fmt.Fprintf(out, "%s%-12s %s%s\n", indent, f.Field, diag.Printable(strings.Join(f.Values, ", ")), more)
	}
}

// String returns a step with its object.
func (s Step) String() string {
	if s.Object == "" {
		return s.Text
	}
	return fmt.Sprintf("%s  [%s %s]", s.Text, s.Object, s.Path)
}

// String returns a packet in a line.
func (p Packet) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "from %s", p.From)
	if p.Interface != "" {
		fmt.Fprintf(&b, " by %q", p.Interface)
	}
	fmt.Fprintf(&b, ": %s -> %s %s", p.Source, p.Dest, p.Protocol)
	switch {
	case p.Type != nil:
		fmt.Fprintf(&b, " type %d code %d", *p.Type, *p.Code)
	case p.Protocol == "tcp" || p.Protocol == "udp" || p.Protocol == "sctp":
		fmt.Fprintf(&b, " port %d", p.Port)
		if p.SourcePort != 0 {
			fmt.Fprintf(&b, " from port %d", p.SourcePort)
		}
	}
	if p.Midstream {
		b.WriteString(", a segment without SYN")
	}
	if p.State != "" {
		fmt.Fprintf(&b, ", of state %s", p.State)
	}
	return b.String()
}

// WriteChanges writes all changes of a node for people.
func WriteChanges(w io.Writer, node string, list []Change, complete bool) error {
	out := bufio.NewWriter(w)
	if len(list) == 0 {
		fmt.Fprintf(out, "proved: node %s: no packet is treated in another way\n", diag.Printable(node))
	}
	for i := range list {
		c := &list[i]
		fmt.Fprintf(out, "node %s: %s\n", diag.Printable(node), diag.Printable(changeText(c)))
		for k := range c.Boxes {
			fmt.Fprintf(out, "  packets with\n")
			writeSet(out, "    ", Describe(&c.Boxes[k]))
		}
	}
	if !complete {
		fmt.Fprintf(out, "node %s: there are more packets that are treated in another way than are listed\n", diag.Printable(node))
	}
	return out.Flush()
}

func changeText(c *Change) string {
	return fmt.Sprintf("%s becomes %s", outcomeText(&c.Before), outcomeText(&c.After))
}

// ChangeSet is a change for machines.
type ChangeSet struct {
	Before string       `json:"before"`
	After  string       `json:"after"`
	Packet Packet       `json:"packet"`
	Sets   [][]FieldSet `json:"sets"`
}

// ChangeSets returns changes for machines.
func ChangeSets(list []Change) []ChangeSet {
	out := make([]ChangeSet, 0, len(list))
	for i := range list {
		c := &list[i]
		s := ChangeSet{Before: outcomeText(&c.Before), After: outcomeText(&c.After), Packet: packetOf(c.Packet)}
		for k := range c.Boxes {
			s.Sets = append(s.Sets, Describe(&c.Boxes[k]))
		}
		out = append(out, s)
	}
	return out
}

// Outcome is what happens to packets, in a line.
func Outcome(r *eval.Result) string { return outcomeText(r) }

// thousands writes a number with commas.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
