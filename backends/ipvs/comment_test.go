package ipvs

import (
	"strings"
	"testing"

	"github.com/planec/planec/ir"
)

func FuzzComment(f *testing.F) {
	for _, s := range []string{
		"cart", `"`, "a\nb", `\`, "\x00", "$x", "@set", "}", "ä", "\xff", strings.Repeat("n", 253), "*/", "#", "a b", "'", "`",
	} {
		f.Add("shop", s, "http")
		f.Add(s, "cart", "")
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, namespace, name, port string) {
		s := ir.ServicePort{Namespace: namespace, Name: name, Port: port}
		got := string(appendComment(nil, s))
		body, found := strings.CutPrefix(got, ` comment "`)
		body, closed := strings.CutSuffix(body, `"`)
		if !found || !closed {
			t.Fatalf("%q is no comment", got)
		}
		if len(body) > maxComment {
			t.Errorf("%d bytes: %q", len(body), body)
		}
		for _, c := range []byte(body) {
			if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/:?~", rune(c)) {
				t.Errorf("byte %q in %q", c, body)
			}
		}
	})
}

// TestCommentTellsApart: names that look the same after escaping or shortening
// have different comments.
func TestCommentTellsApart(t *testing.T) {
	long := strings.Repeat("n", 253)
	seen := make(map[string]ir.ServicePort)
	for _, s := range []ir.ServicePort{
		{Namespace: "a", Name: "b"},
		{Namespace: "a", Name: "b?"},
		{Namespace: "a", Name: `b"`},
		{Namespace: "a", Name: "b\n"},
		{Namespace: "a", Name: long + "1"},
		{Namespace: "a", Name: long + "2"},
		{Namespace: "a/b", Name: "c"},
		{Namespace: "a", Name: "b/c"},
	} {
		c := string(appendComment(nil, s))
		if other, dup := seen[c]; dup {
			t.Errorf("%v and %v are both %s", s, other, c)
		}
		seen[c] = s
	}
	if got := string(appendComment(nil, ir.ServicePort{Namespace: "shop", Name: "cart", Port: "http"})); got != ` comment "shop/cart:http"` {
		t.Errorf("got %s", got)
	}
}
