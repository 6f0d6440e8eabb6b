package nft

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// declarations are of sets with elements of all forms.
func declarations() []string {
	return []string{
		"type ipv4_addr", "type inet_service", "type ipv4_addr : verdict", "type inet_proto . inet_service : verdict",
		"type ipv4_addr . inet_proto . inet_service", "type ipv4_addr . inet_proto . inet_service : verdict",
		"typeof ip daddr . meta l4proto . th dport . numgen random mod 65536 : ip daddr . th dport",
		"type ipv6_addr . inet_proto . inet_service : verdict", "type ipv4_addr : ipv6_addr . inet_service", "type mark : classid", "type ipv4_addr : mark",
		"type ipv4_addr . ipv4_addr\n\t\tflags interval", "type ipv4_addr : classid\n\t\tflags interval",
	}
}

// slowly are the elements as [Set.element] alone reads them, and the error.
func slowly(s *Set) (list []Element, err error) {
	rest := s.Text
	for i := range s.Len {
		line, after, _ := bytes.Cut(rest, []byte{'\n'})
		e := &Element{}
		if err := s.element(e, line); err != nil {
			return list, atLine(s.line+1+i, err)
		}
		e.Line = rest[:len(rest)-len(after)]
		list, rest = append(list, *e), after
	}
	return list, nil
}

// quickly are the elements as [Set.Elements] yields them, and the error.
func quickly(s *Set) (list []Element, err error) {
	for e, err := range s.Elements() {
		if err != nil {
			return list, err
		}
		c := *e
		c.Key, c.Data = bytes.Clone(e.Key), bytes.Clone(e.Data)
		list = append(list, c)
	}
	return list, nil
}

// wantSame wants both ways to read the elements of a text to have one result.
func wantSame(t *testing.T, text string) (elements int) {
	t.Helper()
	r, err := Parse([]byte(text))
	if err != nil {
		return 0
	}
	for _, table := range r.Tables {
		for _, s := range table.Sets {
			want, wantErr := slowly(s)
			got, gotErr := quickly(s)
			if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), verdictOnly(s)); d != "" {
				t.Errorf("%s\n-want +got:\n%s", text, d)
			}
			if (wantErr == nil) != (gotErr == nil) || wantErr != nil && wantErr.Error() != gotErr.Error() {
				t.Errorf("%s\nerror %v, want %v", text, gotErr, wantErr)
			}
			elements += len(got)
		}
	}
	return elements
}

// verdictOnly leaves out the verdict of elements without one.
func verdictOnly(s *Set) cmp.Option {
	if s.Verdicts() {
		return cmpopts.IgnoreFields(Element{}, "Data")
	}
	return cmpopts.IgnoreFields(Element{}, "Verdict", "Chain")
}

// TestElementsQuickly reads elements that are like the one before or not, whole or broken, in both ways.
func TestElementsQuickly(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	pieces := []string{
		"10.96.0.1", "10.96.0.1", "10.96.0.255", "10.96.0.256", "1.2.3", "01.2.3.4", "0.0.0.0", "1.2.3.4.5", "fd00::1", "fd00::g", "10.0.0.0/8",
		"tcp", "tcp", "udp", "sctp", "icmp", "17", "256", "tcpx", "80", "80", "0", "00", "65535", "65536", "8080", "17", "4294967295", "4294967296", "99999999999",
		"0x1", "1:2", "none", "root", "goto x", "goto x", "jump y", "drop", "accept", "return", "reject", "goto", "goto x y", "",
	}
	elements := 0
	for range 5000 {
		declaration := declarations()[rng.IntN(len(declarations()))]
		key, data, isMap := strings.Cut(strings.SplitN(declaration, "\n", 2)[0], " : ")
		fields := func(of string) string {
			var list []string
			for range 1 + strings.Count(of, " . ") {
				list = append(list, pieces[rng.IntN(len(pieces))])
			}
			return strings.Join(list, " . ")
		}
		likely := func(of string) string { return likelyFields(rng, of) }
		var lines []string
		for range 1 + rng.IntN(6) {
			form := likely
			if rng.IntN(12) == 0 {
				form = fields
			}
			line := form(key)
			if rng.IntN(4) > 0 {
				line += []string{"", ` comment "a/b"`, ` comment "a/b"`, ` comment "c`, ` comment "` + strings.Repeat("c", 127+rng.IntN(3)) + `"`, ` comment ""`}[rng.IntN(6)]
			}
			if isMap && rng.IntN(30) > 0 {
				line += " : " + form(data)
			}
			line += []string{",", ",", ",", ",", ",", ",", ",", "", ",,", " ,"}[rng.IntN(10)]
			if rng.IntN(20) == 0 {
				at := rng.IntN(len(line) + 1)
				line = line[:at] + string(" ,.\"\t:\x000"[rng.IntN(8)]) + line[at:]
			}
			lines = append(lines, line)
		}
		elements += wantSame(t, setOf(declaration, strings.Join(lines, "\n\t\t\t")))
	}
	if elements < 5000 {
		t.Errorf("only %d elements were read", elements)
	}
}

// likelyFields are right values for the types of a declaration, most often those that were there before.
func likelyFields(rng *rand.Rand, of string) string {
	var list []string
	for _, field := range strings.Split(of, " . ") {
		words := strings.Fields(field)
		values := []string{"0", "1", "2", "16", "65535"}
		switch words[len(words)-1] {
		case "ipv4_addr", "daddr":
			values = []string{"10.96.0.1", "10.96.0.1", "10.96.0.1", "10.96.0.12", "255.0.0.7"}
		case "ipv6_addr":
			values = []string{"fd00::1", "fd00::1", "fd00::1", "::", "fd00::2"}
		case "inet_proto", "l4proto":
			values = []string{"tcp", "tcp", "udp", "sctp", "132"}
		case "inet_service", "dport":
			values = []string{"80", "80", "443", "0", "65535"}
		case "mark":
			values = []string{"0x1", "0x00004000", "0x1", "0xf", "0xffffffff"}
		case "classid":
			values = []string{"1:1", "none", "root", "ffff:1", "1:1"}
		case "verdict":
			values = []string{"goto x", "goto x", "goto x", "drop", "return"}
		}
		list = append(list, values[rng.IntN(len(values))])
	}
	return strings.Join(list, " . ")
}

// TestWholeQuickly is the same for every text that is kept.
func TestWholeQuickly(t *testing.T) {
	for _, text := range texts(t) {
		wantSame(t, string(text))
	}
}

// FuzzElements is the same for lines that are given.
func FuzzElements(f *testing.F) {
	for i := range declarations() {
		f.Add(uint8(i), "10.96.0.1 . tcp . 80 . 0 : 10.0.0.1 . 8080,\n\t\t\t10.96.0.1 . tcp . 80 . 1 : 10.0.0.1 . 8080,")
		f.Add(uint8(i), "10.96.0.1 . tcp . 80 comment \"a/b\" : goto x,\n\t\t\t10.96.0.1 . tcp . 81 comment \"a/b\" : goto x,")
	}
	f.Fuzz(func(t *testing.T, declaration uint8, lines string) {
		wantSame(t, setOf(declarations()[int(declaration)%len(declarations())], lines))
	})
}

// TestLineAt holds the search for a closing line against a plain one.
func TestLineAt(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	found := 0
	for range 20000 {
		var text []byte
		for range rng.IntN(14) {
			text = append(text, []string{"\t", "\t", "}", "\n", "\t\t}\n", "\t}\n", "x", "\n\t"}[rng.IntN(8)]...)
		}
		for _, end := range []string{"\t}\n", "\t\t}\n"} {
			want := bytes.Index(append([]byte("\n"), text...), []byte("\n"+end))
			if got := lineAt(text, end); got != want {
				t.Fatalf("%q in %q: %d, want %d", end, text, got, want)
			}
			if want >= 0 {
				found++
			}
		}
	}
	if found < 5000 {
		t.Errorf("only %d were found", found)
	}
}
