package backends_test

import (
	"testing"

	"github.com/planec/planec/backends"
)

func TestNamed(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"shop/web", "", "shop/web"}, " of shop/web"},
		{[]string{"a", "b", "c"}, " of a, b, c"},
		{[]string{"c", "a", "b"}, " of a, b, c"},
		{[]string{"a", "b", "c", "a", "d", "e"}, " of a, b, c and others"},
		{[]string{"e", "d", "b", "a", "c", "a"}, " of a, b, c and others"},
	} {
		var n backends.Named
		for _, name := range c.names {
			n.Add(name)
		}
		if got := n.String(); got != c.want {
			t.Errorf("%q: %q, want %q", c.names, got, c.want)
		}
	}
}
