package escape_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/planec/planec/internal/base/escape"
	"github.com/planec/planec/ir/diag"
)

// hostile are names that do something in one form or another.
var hostile = []string{
	"plain", "a\x1b[31m\r\n::error::x", "x\u202eeurt", "a\u200bb\u2066c\u2069\u200f\u061c", "[read](https://example.invalid) {0}", "![i](//x.invalid/a.png)",
	"<script>alert(1)</script>", "</details>", "@admin", "org/team@v1", "a@example.invalid", "#12", "org/repo#12", "GH-12", "www.example.invalid", "http://e.invalid",
	"mailto:a", ":tada:", "$x^2$", "a | b", "`code`", "**b** _i_ ~~s~~", "# heading", "- item", "+ item", "1. item", "=====", "%0A::warning::y", "a,b:c=d", "\\", "\U000E0041",
	"\xff\xfe", "a b?c#d%20", "c:\\x", strings.Repeat("a", 40), "\u2028\u2029\u0085\x7f",
}

// TestNothingMoves holds every form against every name: no control character, no mark
// of direction, no line of its own.
func TestNothingMoves(t *testing.T) {
	forms := map[string]func(string) string{
		"sarif": escape.SARIF, "uri": escape.FileURI, "data": escape.GitHubData, "property": escape.GitHubProperty, "markdown": escape.Markdown,
		"json": func(s string) string {
			var b strings.Builder
			if err := escape.JSON(&b, s); err != nil {
				t.Fatal(err)
			}
			return strings.TrimSuffix(b.String(), "\n")
		},
	}
	for form, f := range forms {
		for _, name := range hostile {
			if got := f(name); strings.ContainsFunc(got, diag.Moves) {
				t.Errorf("%s of %q: %q", form, name, got)
			}
		}
	}
}

// TestFaithful wants programs to read the names that were written.
func TestFaithful(t *testing.T) {
	for _, name := range hostile {
		var b strings.Builder
		if err := escape.JSON(&b, name); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.Unmarshal([]byte(b.String()), &got); err != nil || got != strings.ToValidUTF8(strings.ReplaceAll(name, "\xff\xfe", "\ufffd\ufffd"), "\ufffd") {
			t.Errorf("JSON of %q: %q, %v", name, got, err)
		}
		u, err := url.Parse(escape.FileURI(name))
		if err != nil || strings.TrimPrefix(u.Path, "./") != strings.ReplaceAll(name, `\`, "/") {
			t.Errorf("URI of %q: %q, %v", name, escape.FileURI(name), err)
		}
	}
}

func TestSARIFHasNoLinks(t *testing.T) {
	if got, want := escape.SARIF("[a](b) {0} \\"), `\[a\](b) {{0}} \\`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestMarkdownIsText wants what GitHub takes for more than text to be taken apart.
func TestMarkdownIsText(t *testing.T) {
	for in, want := range map[string]string{
		"@admin":             "&#64;&#8203;admin",
		"a@example.invalid":  "a&#64;&#8203;example.invalid",
		"org/repo#12":        `org/repo\#&#8203;12`,
		"GH-12":              "GH-&#8203;12",
		"http://e":           "http:&#8203;//e",
		"www.e.invalid":      "www&#8203;.e.invalid",
		"mailto:a":           "mailto:&#8203;a",
		":tada:":             ":&#8203;tada:",
		"![a](b)":            `\!\[a\](b)`,
		"<b>":                "&lt;b&gt;",
		"a | b":              `a \| b`,
		"# h":                `\# h`,
		"1. i":               "1&#8203;. i",
		"- i":                "-&#8203; i",
		"a -> b":             "a -> b",
		"spec.ports[0].port": `spec.ports\[0\].port`,
		"kube-system/dns_a":  "kube-system/dns_a",
		"10.0.0.1:80":        "10.0.0.1:80",
		"&amp;":              "&amp;amp;",
	} {
		if got := escape.Markdown(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
