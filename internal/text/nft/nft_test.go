package nft

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const begin = "add table ip planec\ndelete table ip planec\nadd table ip6 planec\ndelete table ip6 planec\n"

// inTable is a text with one table.
func inTable(body string) string { return begin + "table ip planec {\n" + body + "}\n" }

// chainOf has some sets, and a chain of one rule.
func chainOf(rule string) string {
	return inTable("\tset s {\n\t\ttype ipv4_addr\n\t}\n\n\tmap v {\n\t\ttype ipv4_addr : verdict\n\t}\n\n" +
		"\tmap e {\n\t\ttype ipv4_addr : ipv4_addr . inet_service\n\t}\n\n\tmap m {\n\t\ttype ipv4_addr : mark\n\t}\n\n" +
		"\tmap d {\n\t\ttypeof ip saddr . meta mark : meta priority\n\t\tsize 10\n\t\tflags dynamic,timeout\n\t}\n\n\tchain x {\n\t\t" + rule + "\n\t}\n\n\tchain row-1 {\n\t}\n")
}

func setOf(declaration, element string) string {
	kind := "set"
	if strings.Contains(declaration, ":") {
		kind = "map"
	}
	return inTable("\t" + kind + " s {\n\t\t" + declaration + "\n\t\telements = {\n\t\t\t" + element + "\n\t\t}\n\t}\n\n\tchain x {\n\t}\n")
}

// networks has a map of ranges.
func networks(elements string) string {
	return setOf("type ipv4_addr : classid\n\t\tflags interval", strings.ReplaceAll(elements, ", ", ",\n\t\t\t"))
}

// whole reads all that a text has: structure, elements and rules.
func whole(text []byte) (elements, rules int, err error) {
	r, err := Parse(text)
	if err != nil {
		return 0, 0, err
	}
	for _, t := range r.Tables {
		for _, s := range t.Sets {
			for _, err := range s.Elements() {
				if err != nil {
					return 0, 0, err
				}
				elements++
			}
		}
		for _, c := range t.Chains {
			for number, line := range c.Lines() {
				if _, err := c.Rule(number, line); err != nil {
					return 0, 0, err
				}
				rules++
			}
		}
	}
	return elements, rules, nil
}

// TestRefuses lists texts that are not the backend's.
func TestRefuses(t *testing.T) {
	const verdicts = "type ipv4_addr : verdict"
	structures := []string{
		"", "flush ruleset\n", begin + "flush ruleset\n", begin + "table inet planec {\n}\n", begin + "table ip other {\n}\n",
		begin + "table ip planec {\n", begin + "table ip planec {\n\tchain a {\n", begin + "table ip planec {\n\tchain a {\n}\n", begin + begin,
		begin + "table ip6 planec {\n}\ntable ip planec {\n}\n", begin + "table ip planec {\n}\ntable ip planec {\n}\n",
		"table ip planec {\n}\n",
		inTable("\tflowtable f {\n\t}\n"), inTable("\tset s {\n\t}\n"), inTable("set s {\n\t\ttype mark\n\t}\n"),
		inTable("\tset s {\n\t\ttype ipv4_addr : verdict\n\t}\n"),
		inTable("\tmap s {\n\t\ttype ipv4_addr\n\t}\n"), inTable("\tmap s {\n\t\ttype verdict : mark\n\t}\n"), inTable("\tmap s {\n\t\ttype mark : mark . verdict\n\t}\n"),
		inTable("\tset s {\n\t\ttype mark\n\t\tflags interval\n\t\telements = {\n\t\t\t1-2\n\t\t}\n\t}\n"),
		inTable("\tset s {\n\t\ttype ipv4_addr\n\t\tflags timeout\n\t}\n"), inTable("\tset s {\n\t\ttype ipv4_addr\n\t\tsize many\n\t}\n"),
		inTable("\tset s {\n\t\ttype ipv4_addr\n\t\telements = {\n\t\t\t1.2.3.4\n\t\t}\n\t\tsize 5\n\t}\n"),
		inTable("\tset s {\n\t\ttype ipv4_addr\n\t\telements = {\n\t\t}\n\t\telements = {\n\t\t}\n\t}\n"),
		inTable("\tset s {\n\t\ttype ipv4_addr\n\t\telements = {\n\t\t\t1.2.3.4\n\t}\n"),
		inTable("\tset s {\n\t\ttype ipv4_addr\n\t\tflags dynamic,timeout\n\t\telements = {\n\t\t\t1.2.3.4\n\t\t}\n\t}\n"),
		inTable("\tset s {\n\t\ttype ipv4_addr\n\t}\n\n\tmap s {\n\t\ttype mark : mark\n\t}\n"),
		inTable("\tset s {\n\t\ttype ipv6_addr . ipv6_addr . ipv6_addr . ipv6_addr . mark\n\t}\n"),
		inTable("\tchain x {\n\t}\n\n\tset s {\n\t\ttype ipv4_addr\n\t}\n"),
		inTable("\tchain x {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n"),
		inTable("\tchain x {\n\t\ttype filter hook ingress priority 0; policy accept;\n\t}\n"),
		inTable("\tchain x {\n\t\ttype route hook output priority 0; policy accept;\n\t}\n"),
		inTable("\tchain x {\n\t\ttype nat hook output priority dstnat * 10; policy accept;\n\t}\n"),
		inTable("\tchain x {\n\t\taccept\n\t\ttype nat hook output priority 0; policy accept;\n\t}\n"),
		inTable("\tchain x {\n\t}\n\n\tchain x {\n\t}\n"), inTable("\tchain x\"y {\n\t}\n"), inTable("\tchain x {\n\taccept\n\t}\n"),
	}
	elements := []string{
		setOf("type ipv4_addr", "1.2.3"), setOf(verdicts, "10.0.0.1"), setOf(verdicts, "10.0.0.1 : queue"), setOf(verdicts, "10.0.0.1 : reject"),
		setOf(verdicts, "10.0.0.1 : jump"), setOf(verdicts, "10.0.0.1 : jump 1x"), setOf(verdicts, "10.0.0.1 : goto nowhere"), setOf(verdicts, "10.0.0.1,\n\t\t\t"),
		setOf(verdicts, "10.0.0.256 : drop"), setOf(verdicts, "10.0.0.01 : drop"), setOf(verdicts, "::1 : drop"),
		setOf(verdicts, "10.0.0.0/8 : drop"), setOf(verdicts, "10.0.0.1 : drop ; flush"), setOf(verdicts, `10.0.0.1 comment "x : drop`),
		setOf("type ipv4_addr . inet_service : verdict", "10.0.0.1 . 65536 : drop"), setOf("type ct_id", "1"), setOf("typeof ct id", "1"),
		setOf("type ipv4_addr . inet_service : verdict", "10.0.0.1 : drop"),
		setOf(verdicts, `10.0.0.1 comment "`+strings.Repeat("x", 129)+`" : drop`), setOf(verdicts, "10.0.0.1 comment \"\x00\" : drop"),
		networks("10.0.0.1/8 : 1:2"), networks("10.0.0.2-10.0.0.1 : 1:2"), networks("fd00::/8 : 1:2"), networks("10.0.0.0-fd00:: : 1:2"), networks("10.0.0.0/8 : 1"),
	}
	for _, text := range append(structures, elements...) {
		refuse(t, text)
	}
	for _, rule := range []string{
		"", "drop  ", "counter drop", "ip ttl 1 drop", "accept accept", "jump", "goto 1", "jump y", "goto row-1 x", "drop comment \"x", `comment "nothing"`, `drop comment "x" drop`, "drop comment x",
		"tcp dport 65536 accept", "tcp dport 70000 accept", "tcp dport { 80, 22 } accept", "tcp dport { 80, 80-90 } accept", "tcp dport { 80 accept", "tcp dport 9-8 accept",
		"tcp sport 80-70 accept", "icmp dport 80 accept", "meta l4proto esp accept", "icmpv6 type 256 accept", "icmpv6 type nd-redirect accept",
		"ct state established accept", "ct state new,invalid drop", "ct status snat accept", "fib daddr type unicast", "fib daddr oif 1",
		"meta priority set 1:2:3", "meta priority set 5", "meta mark set meta mark | 0x1ffffffff", "meta mark & 0x3 == 0x1 drop", "th dport >= 5 drop",
		"meta mark set jhash ip saddr mod 0 seed 0x1", "meta priority set ip saddr map @m", "meta mark set ip saddr map @v", "meta mark set ip saddr map @s",
		"ip saddr @t drop", "ip6 saddr @s drop", "meta mark @s drop", "ip saddr vmap @s", "ip saddr vmap s", "ip6 saddr fd00::/8 drop", "meta mark 0x1 drop",
		"ip saddr 10.64.0.0/9 drop", "ip saddr 10.0.0.0/33 drop", "ip saddr 10.0.0.0-10.0.0.2 drop", "ip saddr != 10.0.0.0/8 drop", "ip saddr fd00::/8 drop", "iifname \"averyverylongname\" drop", "iifname eth0 drop", `iifname "" drop`,
		"update @s { ip saddr : meta mark }", "update @m { ip saddr : meta mark }", "update @d { ip saddr . meta mark : meta mark }",
		"update @d { ip saddr . meta mark timeout 1w : meta priority }", "update @d { ip saddr . meta mark timeout 0s : meta priority }", "delete @d { ip saddr . meta mark }",
		"dnat ip to ip saddr map @s", "dnat ip6 to ip saddr map @e", "dnat ip to ip saddr map @m", "masquerade", "numgen random mod 0 @s drop",
	} {
		refuse(t, chainOf(rule))
	}
}

func refuse(t *testing.T, text string) {
	t.Helper()
	if _, _, err := whole([]byte(text)); err == nil {
		t.Errorf("taken:\n%s", text)
	} else if !strings.HasPrefix(err.Error(), "nftables rules, line ") {
		t.Errorf("an error without a line: %v", err)
	}
}

// TestStatements reads each statement, so that TestRefuses fails for the right reasons.
func TestStatements(t *testing.T) {
	saddr, mark, class := Field{Addr4, SourceAddr, 0}, Field{Mark, MetaMark, 0}, Field{ClassID, MetaPriority, 0}
	for text, want := range map[string]Statement{
		"accept":                           Decide{Verdict: Accept},
		"goto row-1":                       Decide{Goto, "row-1"},
		"ip saddr @s":                      InSet{[]Field{saddr}, &Set{Name: "s"}, false},
		"ip saddr != @s":                   InSet{[]Field{saddr}, &Set{Name: "s"}, true},
		"ip saddr 10.0.0.0/8":              InPrefix{saddr, netip.MustParsePrefix("10.0.0.0/8")},
		"ip saddr 10.128.0.0/9":            InPrefix{saddr, netip.MustParsePrefix("10.128.0.0/9")},
		"ip saddr 0.0.0.0/0":               InPrefix{saddr, netip.MustParsePrefix("0.0.0.0/0")},
		"ip saddr 10.0.0.1":                InPrefix{saddr, netip.MustParsePrefix("10.0.0.1/32")},
		"ct state new":                     InState{New: true},
		"ct state invalid":                 InState{Invalid: true},
		"ct state invalid,new":             InState{New: true, Invalid: true},
		"ct state untracked":               InState{Untracked: true},
		"ct state established,related":     InState{Established: true, Related: true},
		"ct status dnat":                   HasDNAT{},
		"tcp flags ! syn":                  NoSYN{},
		"meta l4proto sctp":                OfProtocol{SCTP},
		"udp dport 0-65534":                ToPorts{UDP, []Range{{0, 65534}}, false},
		"tcp dport { 22, 80-90 }":          ToPorts{TCP, []Range{{22, 22}, {80, 90}}, true},
		"icmpv6 type 133-137":              OfTypes{ICMPv6, Range{133, 137}},
		"fib saddr type != local":          IsLocal{Negate: true},
		"fib daddr type local":             IsLocal{Dest: true},
		`iifname != "veth*"`:               FromInterface{"veth", true, true},
		`iifname "eth0"`:                   FromInterface{Name: "eth0"},
		"meta mark & 0x4000 == 0x4000":     HasMark{0x4000},
		"meta mark >= 0x80000000":          AtLeast{mark, 1 << 31},
		"meta priority >= c000:0":          AtLeast{class, 0xc0000000},
		"ip saddr vmap @v":                 DecideBy{[]Field{saddr}, &Set{Name: "v"}},
		"dnat ip to ip saddr map @e":       DNAT{[]Field{saddr}, &Set{Name: "e"}},
		"masquerade fully-random":          Masquerade{},
		"meta mark set meta mark | 0x4000": CombineMark{false, 0x4000},
		"meta mark set meta mark ^ 0x4000": CombineMark{true, 0x4000},
		"meta priority set 1:2":            SetPriority{0x10002},
		"meta priority set root":           SetPriority{1<<32 - 1},
		"meta mark set ip saddr map @m":    SetFromMap{mark, []Field{saddr}, &Set{Name: "m"}},
		"meta mark set jhash ip saddr . meta mark mod 7 seed 0x1":             HashMark{[]Field{saddr, mark}, 7, 1},
		"update @d { ip saddr . meta mark timeout 1d2h3m4s : meta priority }": Update{false, &Set{Name: "d"}, []Field{saddr, mark}, 26*time.Hour + 184*time.Second, class},
		"delete @d { ip saddr . meta mark : meta priority }":                  Update{true, &Set{Name: "d"}, []Field{saddr, mark}, 0, class},
		"meta priority set none":                                              SetPriority{0},
	} {
		r, err := Parse([]byte(chainOf(text + ` comment "why"`)))
		if err != nil {
			t.Fatal(err)
		}
		c := r.Tables[0].Chains[0]
		for number, line := range c.Lines() {
			got, err := c.Rule(number, line)
			if err != nil {
				t.Fatal(err)
			}
			wanted := &Rule{Text: text + ` comment "why"`, Statements: []Statement{want}, Comment: "why", Commented: true}
			if d := cmp.Diff(wanted, got, cmp.Comparer(func(a, b *Set) bool { return a.Name == b.Name }), cmpopts.EquateComparable(netip.Prefix{})); d != "" {
				t.Errorf("%s: -want +got:\n%s", text, d)
			}
		}
	}
}

// TestElements reads keys, ranges and data in the form that the kernel has them in.
func TestElements(t *testing.T) {
	for text, want := range map[string]Element{
		setOf("type ipv4_addr", "1.2.3.4"): {Key: []byte{1, 2, 3, 4}},
		setOf("type ipv4_addr . inet_proto . inet_service : verdict", `1.2.3.4 . tcp . 80 comment "a b" : goto x`): {Key: []byte{1, 2, 3, 4, 6, 0, 0, 0, 0, 80, 0, 0}, Verdict: Goto, Chain: []byte("x"), Comment: []byte("a b")},
		setOf("type inet_service : ipv4_addr . inet_service", "80 : 1.2.3.4 . 81"):                                 {Key: []byte{0, 80}, Data: []byte{1, 2, 3, 4, 0, 81, 0, 0}},
		setOf("type inet_service . ipv4_addr\n\t\tflags interval", "80 . 10.0.0.0/8"):                              {Key: []byte{0, 80, 0, 0, 10, 0, 0, 0, 0, 80, 0, 0, 10, 255, 255, 255}},
		networks("1.2.3.4 : root"):         {Key: []byte{1, 2, 3, 4, 1, 2, 3, 4}, Data: []byte{255, 255, 255, 255}},
		networks("1.2.3.4-1.2.3.9 : none"): {Key: []byte{1, 2, 3, 4, 1, 2, 3, 9}, Data: []byte{0, 0, 0, 0}},
	} {
		r, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for got, err := range r.Tables[0].Sets[0].Elements() {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if d := cmp.Diff(&want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Element{}, "Line")); d != "" {
				t.Errorf("%s: -want +got:\n%s", text, d)
			}
		}
		if n != 1 {
			t.Errorf("%d elements in\n%s", n, text)
		}
	}
}

// TestPriorities reads where base chains are called.
func TestPriorities(t *testing.T) {
	for text, want := range map[string]int32{"dstnat": -100, "dstnat - 10": -110, "filter + 10": 10, "srcnat": 100, "-110": -110, "11": 11} {
		r, err := Parse([]byte(inTable("\tchain x {\n\t\ttype nat hook postrouting priority " + text + "; policy accept;\n\t\taccept\n\t}\n")))
		if err != nil {
			t.Fatal(err)
		}
		c := r.Tables[0].Chains[0]
		if d := cmp.Diff(&Base{Type: "nat", Hook: Postrouting, Priority: want}, c.Base); d != "" {
			t.Errorf("%s: -want +got:\n%s", text, d)
		}
		for number, line := range c.Lines() {
			if number != 8 || string(line) != "\t\taccept" {
				t.Errorf("line %d: %q", number, line)
			}
		}
	}
}

// TestWhere wants errors to name the line and what stands there.
func TestWhere(t *testing.T) {
	for text, want := range map[string]string{
		chainOf("counter drop"):                      `nftables rules, line 29: rule "counter drop": unknown statement or expression "counter drop"`,
		setOf("type ipv4_addr", "1.2.3.4,\n\t\t\t5"): `nftables rules, line 10: address "5"`,
		inTable("\tset s {\n\t\tsize 5\n\t}\n"):      `nftables rules, line 8: set s has no type`,
	} {
		if _, _, err := whole([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func texts(t testing.TB) [][]byte {
	t.Helper()
	var texts [][]byte
	for _, pattern := range []string{"../../../golden/cases/*/nftables/rules.nft", "../../../backends/nftables/testdata/*.nft"} {
		list, err := filepath.Glob(pattern)
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(list), err)
		}
		for _, path := range list {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, b)
		}
	}
	return texts
}

// TestWhole reads every text that is kept, and counts its lines.
func TestWhole(t *testing.T) {
	for _, text := range texts(t) {
		elements, rules, err := whole(text)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(text, []byte("\n\t\t\t"))
		if elements != lines {
			t.Errorf("%d elements on %d lines", elements, lines)
		}
		if rules == 0 && bytes.Contains(text, []byte("accept\n")) {
			t.Error("no rule was read")
		}
	}
}

// TestElementsDoNotAllocate counts: there are hundreds of thousands of elements.
func TestElementsDoNotAllocate(t *testing.T) {
	element := `10.0.0.1 . tcp . 80 . 17 comment "shop/cart:http" : 10.244.1.3 . 8080`
	text := setOf("typeof ip daddr . meta l4proto . th dport . numgen random mod 65536 : ip daddr . th dport", strings.Repeat(element+",\n\t\t\t", 999)+element)
	r, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	n := testing.AllocsPerRun(5, func() {
		for _, err := range r.Tables[0].Sets[0].Elements() {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	if n > 20 {
		t.Errorf("%v allocations for 1000 elements", n)
	}
}

// FuzzParse wants neither a panic nor more elements than lines.
func FuzzParse(f *testing.F) {
	for _, text := range texts(f) {
		if len(text) < 6000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if elements, rules, err := whole(text); err == nil && elements+rules > bytes.Count(text, []byte{'\n'}) {
			t.Errorf("%d elements and %d rules in\n%s", elements, rules, text)
		}
	})
}
