package proof

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// FieldSet is what a box says of one field.
type FieldSet struct {
	Field string `json:"field"`
	// Values are ranges, as people write them: "10.0.0.0/8", "80-90", "cali*".
	Values []string `json:"values"`
	// More is how many ranges are left out of Values.
	More int `json:"more,omitzero"`
}

// mostValues is how many ranges of a field are listed.
const mostValues = 8

// Describe returns what a box says of the fields of which it has not every value.
func Describe(b *space.Box) []FieldSet {
	whole := eval.Widest(b)
	out := []FieldSet{{Field: "family", Values: []string{familyName(b.IPv6)}}}
	for f := range space.Fields {
		list, selected := b.Sets[f].Intervals()
		if every, _ := whole.Sets[f].Intervals(); equal(list, every) && !selected && f != space.Protocol && f != space.Entry {
			continue
		}
		if n, ok := b.Sets[f].Point(); ok && n == (space.Number{}) && f >= space.Port && f != space.State {
			continue // a field that the protocol lacks
		}
		set := FieldSet{Field: f.String()}
		for i, interval := range list {
			if i == mostValues {
				set.More = len(list) - i
				break
			}
			set.Values = append(set.Values, valueText(f, interval, b.IPv6))
		}
		if selected {
			set.Values = append(set.Values, "(some of these)")
		}
		out = append(out, set)
	}
	return out
}

func equal(a, b []space.Interval) bool {
	return len(a) == len(b) && (len(a) == 0 || a[0] == b[0] && a[len(a)-1] == b[len(b)-1])
}

func familyName(ipv6 bool) string {
	if ipv6 {
		return "IPv6"
	}
	return "IPv4"
}

func valueText(f space.Field, i space.Interval, ipv6 bool) string {
	single := i.First == i.Last
	switch f {
	case space.Source, space.Destination:
		return addressText(i.First.Addr(ipv6), i.Last.Addr(ipv6))
	case space.Interface:
		if single {
			return strconv.Quote(i.First.Name())
		}
		return fmt.Sprintf("%q to %q", i.First.Name(), i.Last.Name())
	}
	return rangeText(i, func(n uint64) string { return numberText(f, n) })
}

func rangeText(i space.Interval, text func(uint64) string) string {
	if i.First == i.Last {
		return text(i.First.Lo)
	}
	return text(i.First.Lo) + "-" + text(i.Last.Lo)
}

func numberText(f space.Field, n uint64) string {
	switch f {
	case space.Entry:
		return eval.Entry(n).String()
	case space.Protocol:
		return ir.Protocol(n).String()
	case space.Type:
		return fmt.Sprintf("%d/%d", n>>8, n&0xff)
	case space.State:
		return eval.State(n).String()
	case space.Midstream:
		return map[uint64]string{0: "no", 1: "yes"}[n]
	}
	return strconv.FormatUint(n, 10)
}

// addressText writes a range of addresses, as a network if it is one.
func addressText(first, last netip.Addr) string {
	if first == last {
		return first.String()
	}
	for bits := range first.BitLen() {
		p := netip.PrefixFrom(first, bits)
		if p.Masked() == p && ir.LastAddr(p) == last {
			return p.String()
		}
	}
	return first.String() + "-" + last.String()
}

// outcomeText is what happens to packets, in a line.
func outcomeText(r *eval.Result) string {
	var b strings.Builder
	b.WriteString(r.Verdict.String())
	for i, c := range reached(r.Endpoints) {
		if b.WriteByte(" ,"[min(i, 1)]); i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(c.Address.String())
		if c.Masquerade && !r.Masquerade {
			b.WriteString(" masqueraded")
		}
	}
	if r.Masquerade {
		b.WriteString(", masqueraded")
	}
	if r.Affinity != 0 && r.Verdict == eval.DNAT {
		fmt.Fprintf(&b, ", affinity %d s", r.Affinity)
	}
	for i, a := range addresses(reached(r.Denied)) {
		if i == 0 {
			b.WriteString(", denied")
		}
		b.WriteByte(' ')
		b.WriteString(a.String())
	}
	for _, prefix := range distinct(r.Logs) {
		fmt.Fprintf(&b, ", logged %q", prefix)
	}
	return b.String()
}

// boxKey is the sets of a box but for one field.
func boxKey(b *space.Box, but space.Field) string {
	text := strconv.FormatBool(b.IPv6)
	for f := range space.Fields {
		if f == but {
			continue
		}
		list, selected := b.Sets[f].Intervals()
		if selected {
			text += fmt.Sprintf("|%p", b)
		}
		text += fmt.Sprint("|", list)
	}
	return text
}
