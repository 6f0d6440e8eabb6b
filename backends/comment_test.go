package backends

import (
	"strings"
	"testing"

	"github.com/planec/planec/ir"
)

func FuzzName(f *testing.F) {
	for _, s := range []string{
		"cart", `"`, "a\nb", `\`, "\x00", "$x", "@set", "}", "ä", "\xff", strings.Repeat("n", 253), "*/", "#", "a b", "'", "`",
	} {
		f.Add("shop", s, "http")
		f.Add(s, "cart", "")
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, namespace, name, port string) {
		s := ir.ServicePort{Namespace: namespace, Name: name, Port: port}
		body := string(AppendName(nil, s))
		if len(body) > maxName {
			t.Errorf("%d bytes: %q", len(body), body)
		}
		for _, c := range []byte(body) {
			if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/:?~", rune(c)) {
				t.Errorf("byte %q in %q", c, body)
			}
		}
	})
}

// TestNameTellsApart: names that look the same after escaping or shortening
// stay different.
func TestNameTellsApart(t *testing.T) {
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
		c := string(AppendName(nil, s))
		if other, dup := seen[c]; dup {
			t.Errorf("%v and %v are both %s", s, other, c)
		}
		seen[c] = s
	}
	if got := string(AppendName(nil, ir.ServicePort{Namespace: "shop", Name: "cart", Port: "http"})); got != "shop/cart:http" {
		t.Errorf("got %s", got)
	}
}
