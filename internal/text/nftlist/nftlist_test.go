package nftlist_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/text/nftlist"
)

const listing = `table ip t { # handle 4
	comment "a { brace"
	counter c {
		packets 1 bytes 2
	}
	map m {
		type ipv4_addr . inet_proto : verdict
		flags interval,timeout
		timeout 1m
		elements = { 10.0.0.0/8 . tcp comment "x, : y" : goto a/b,
			     11.0.0.1 . udp counter packets 1 bytes 2 expires 3s : drop }
	}

	chain in {
		type filter hook input priority filter - 10; policy drop;
		ip saddr { 1.2.3.4, 1.2.3.5 } drop comment "no } end"
	}

	chain a/b {
	}
}
table inet other {
}
`

func TestParse(t *testing.T) {
	tables, err := nftlist.Parse([]byte(listing))
	if err != nil || len(tables) != 2 || tables[1].Family != "inet" {
		t.Fatal(tables, err)
	}
	m, in := tables[0].Sets[0], tables[0].Chains[0]
	if !m.Map || !m.Has("timeout") || m.Timeout != "1m" || !slices.Equal(m.Type, []string{"ipv4_addr", "inet_proto"}) || !slices.Equal(m.Data, []string{"verdict"}) {
		t.Errorf("%+v", m)
	}
	if len(m.Elements) != 2 || m.Elements[1].Line != 11 || !slices.Equal(m.Elements[0].Data, []string{"goto", "a/b"}) || !slices.Equal(m.Elements[1].Key, []string{"11.0.0.1", "udp"}) {
		t.Errorf("%+v", m.Elements)
	}
	if b := in.Base; b == nil || b.Hook != "input" || strings.Join(b.Priority, " ") != "filter - 10" || b.Policy != "drop" {
		t.Errorf("%+v", b)
	}
	if len(in.Rules) != 1 || in.Rules[0].Line != 16 || in.Rules[0].Words[len(in.Rules[0].Words)-1] != `"no } end"` {
		t.Errorf("%+v", in.Rules)
	}
}

// TestErrors wants an error with the line for what no listing is.
func TestErrors(t *testing.T) {
	for text, line := range map[string]string{
		"flush ruleset\n": "line 1", "table ip t {\n": "line 1", "table ip t {\n\tchain c {\n\t\tdrop\n": "line",
		"table ip t {\n\twhat x {\n\t}\n}\n": "line 2", "table ip t {\n\tset s {\n\t\tsorts x\n\t}\n}\n": "line 3",
		"table ip t {\n\tset s {\n\t\telements = { 1.2.3.4\n": "line", "table ip t {\n\tcomment \"open\n}\n": "line 2",
		"table ip t {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { 1.2.3.4 what }\n\t}\n}\n": "line 4",
		"table ip t {\n\tchain c {\n\t\ttype filter hook input; policy accept;\n\t}\n}\n":        "line 3",
	} {
		if _, err := nftlist.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), line) {
			t.Errorf("%q: %v, want %s", text, err, line)
		}
	}
}

// FuzzParse wants neither a panic nor a hang.
func FuzzParse(f *testing.F) {
	f.Add([]byte(listing))
	if text, err := os.ReadFile("../../../examples/kube-proxy-migration/kube-proxy.nft"); err == nil {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = nftlist.Parse(text) })
}
