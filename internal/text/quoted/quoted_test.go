package quoted_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/text/quoted"
)

// TestSplit has the output of iptables-save 1.8.9 and ipset save 7.17 for comments
// with these characters, and what their loaders read differently.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		line           string
		escaped, plain []string // nil is an error
	}{
		{`-A INPUT -j ACCEPT`, []string{"-A", "INPUT", "-j", "ACCEPT"}, []string{"-A", "INPUT", "-j", "ACCEPT"}},
		{`  a` + "\t" + `b  `, []string{"a", "b"}, []string{"a", "b"}},
		{`x "a b" y`, []string{"x", "a b", "y"}, []string{"x", "a b", "y"}},
		{`x "" y`, []string{"x", "", "y"}, []string{"x", "", "y"}},
		{`x "a \" b" y`, []string{"x", `a " b`, "y"}, nil},
		{`x "it\'s \\"`, []string{"x", `it's \`}, []string{"x", `it\'s \\`}},
		{`x "a \"`, nil, []string{"x", `a \`}},
		{`a\b`, []string{`a\b`}, []string{`a\b`}},
		{`"abc -j ACCEPT`, nil, nil},
		{`"a"b`, nil, nil},
		{`a"b c"`, nil, nil},
		{``, []string{}, []string{}},
		{strings.Repeat("x", quoted.MaxLine+1), nil, nil},
	} {
		for syntax, want := range map[quoted.Syntax][]string{quoted.Escaped: c.escaped, quoted.Plain: c.plain} {
			got, err := quoted.Split(c.line, syntax)
			if (err != nil) != (want == nil) || !slices.Equal(got, want) {
				t.Errorf("%.40q, syntax %d: %q, %v, want %q", c.line, syntax, got, err, want)
			}
		}
	}
}

// FuzzSplit: words that are quoted and split again stay the same.
func FuzzSplit(f *testing.F) {
	f.Add(`-A X -m comment --comment "a \" b" -j Y`)
	f.Add(`add x 10.0.0.1 comment "a \"`)
	f.Fuzz(func(t *testing.T, line string) {
		words, err := quoted.Split(line, quoted.Escaped)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, w := range words {
			b.WriteString(` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`)
		}
		if again, err := quoted.Split(b.String(), quoted.Escaped); err == nil && !slices.Equal(words, again) {
			t.Errorf("%q: %q, %q", line, words, again)
		}
	})
}

func TestReader(t *testing.T) {
	r := quoted.NewReader([]string{"a", "0x10", "b", "c", "d"})
	if r.Skip("b") || !r.Skip("a") || r.Uint(8) != 16 {
		t.Error("the first words are others")
	}
	r.Want("b", "c")
	if err := r.End(); err == nil || !strings.Contains(err.Error(), `"d"`) {
		t.Errorf("a word is left: %v", err)
	}
	r = quoted.NewReader([]string{"300"})
	if r.Uint(8); r.Err() == nil {
		t.Error("300 is no number of 8 bits")
	}
	if got := r.Take(2); len(got) != 2 {
		t.Errorf("%d words", len(got))
	}
}
