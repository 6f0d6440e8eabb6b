package selector_test

import (
	"strings"
	"testing"

	"github.com/planec/planec/compiler/policy/calico/selector"
)

func TestMatches(t *testing.T) {
	labels := selector.Map{"app": "web", "release": "v2-blue", "empty": "", "a/b.c_d-e": "x"}
	for text, want := range map[string]bool{
		"":                                      true,
		" \t":                                   true,
		"all()":                                 true,
		"all( )":                                true,
		"global()":                              true,
		"!all()":                                false,
		"app == 'web'":                          true,
		`app=="web"`:                            true,
		"app == 'web ":                          false, // an error, below
		"app != 'web'":                          false,
		"none != 'web'":                         true,
		"none == ''":                            false,
		"empty == ''":                           true,
		"has(empty)":                            true,
		"has( none )":                           false,
		"!has(none)":                            true,
		"! ! has(app)":                          true,
		"app in {'x', \"web\"}":                 true,
		"app in {'web',}":                       true,
		"app in {}":                             false,
		"app not in {}":                         true,
		"app notin {'web'}":                     false,
		"none not  in {'web'}":                  true,
		"none in {''}":                          false,
		"release contains 'blue'":               true,
		"release contains''":                    true,
		"release starts with 'v2'":              true,
		"release startswith 'v1'":               false,
		"release ends with \"-blue\"":           true,
		"none contains ''":                      false,
		"a/b.c_d-e == 'x'":                      true,
		"app == 'x' && app == 'y' || has(app)":  true,
		"app == 'x' && (app == 'y' || all())":   false,
		"!app == 'x' && has(app)":               true,
		"!(app == 'web' || has(none)) || all()": true,
		"has == 'x' || all == 'y' || in == 'z'": false,
	} {
		s, err := selector.Parse(text)
		if err != nil {
			if text != "app == 'web " {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if got := s.Matches(labels); got != want {
			t.Errorf("%q matches %v, want %v", text, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"app", "app = 'web'", "app == web", "app == 'web", "'app' == 'web'", "app & all()", "app | all()", "has(", "has()", "has(app", "has(a b)", "all(", "all",
		"all(app)", "app == 'web'\n", "\nall()", "app in 'web'", "app in {'web'", "app in {web}", "app in {,}", "app not 'web'", "app containss 'x'", "app startswithx 'x'",
		"app starts with x", "(app == 'web'", "app == 'web')", "app == 'web' app == 'web'", "&& all()", "all() &&", "!", "()", "app ! = 'x'", "app === 'x'", "app == 'a' 'b'", "ä == 'x'",
		strings.Repeat("a", 513) + " == 'x'", strings.Repeat("(", 1000) + "all()" + strings.Repeat(")", 1000), strings.Repeat(" ", 1<<15),
	} {
		if s, err := selector.Parse(text); err == nil {
			t.Errorf("%.60q is read as %s", text, s)
		}
	}
}

func TestChanged(t *testing.T) {
	s, err := selector.Parse("!all() || a == 'b' && has(c) && global()")
	if err != nil {
		t.Fatal(err)
	}
	got := s.Prefixed("p.").With(selector.Has("n"), selector.Not(selector.Has("n"))).String()
	if want := `(!has(n) || (p.a == "b" && has(p.c) && !has(n)))`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !s.HasGlobal() || s.IsGlobal() || s.IsAll() {
		t.Error("global() is a part of it")
	}
	and, err := selector.Parse("a == 'b' && c in {'d'} && (e == 'f' || all())")
	if err != nil {
		t.Fatal(err)
	}
	required := and.Requires()
	if len(required) != 2 || required[0] != (selector.Required{Label: "a", Value: "b"}) || required[1] != (selector.Required{Label: "c", Value: "d"}) {
		t.Errorf("required labels %v", required)
	}
}

// FuzzParse reads any text: what is read has a canonical text that means the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "all()", "a == 'b'", "!(a in {'b',\"c'\"} || has(d)) && e not in {} && f starts with 'g'", "((a != 'b'))", "a notin {'b'", "global()"} {
		f.Add(seed, "a", "b")
	}
	f.Fuzz(func(t *testing.T, text, label, value string) {
		s, err := selector.Parse(text)
		if err != nil {
			return
		}
		again, err := selector.Parse(s.String())
		if err != nil {
			if len(s.String()) <= 1<<14 && strings.Count(s.String(), "(") <= 512 {
				t.Fatalf("%q has the text %q, which is refused: %v", text, s, err)
			}
			return
		}
		if again.String() != s.String() {
			t.Errorf("%q has the text %q, and this one %q", text, s, again)
		}
		labels := selector.Map{label: value}
		if s.Matches(labels) != again.Matches(labels) {
			t.Errorf("%q and its text %q match other labels", text, s)
		}
		if s.Matches(labels) == selector.Not(s).Matches(labels) {
			t.Errorf("%q and its negation match the same", text)
		}
		for _, r := range s.Requires() {
			if s.Matches(labels) && labels[r.Label] != r.Value {
				t.Errorf("%q matches without %v", text, r)
			}
		}
	})
}
