package iptables_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/text/iptables"
	"github.com/planec/planec/internal/text/quoted"
)

func TestLines(t *testing.T) {
	const text = "# Generated\n*filter\n:INPUT DROP [1:2]\n:PLC-X - [0:0]\n-A INPUT -m comment --comment \"-j x\" -j PLC-X\n-A PLC-X\nCOMMIT\n"
	var got []string
	for l, err := range iptables.Lines([]byte(text)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Join([]string{l.Table, l.Policy, l.Verb, l.Chain, l.Spec}, "|"))
	}
	want := []string{"filter||||", "filter|DROP||INPUT|", "filter|-||PLC-X|", `filter||-A|INPUT|-m comment --comment "-j x" -j PLC-X`, "filter||-A|PLC-X|"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestBrokenLines wants errors with line numbers, and the reader to continue.
func TestBrokenLines(t *testing.T) {
	for text, want := range map[string]string{
		"-A INPUT -j DROP\n": "line 1", "*filter\n*nat\nCOMMIT\n": "line 2", "*filter\n:X\nCOMMIT\n": "line 2",
		"*filter\n-F X\nCOMMIT\n": "line 2", "*filter\n": "no COMMIT", "*\n": "line 1",
	} {
		var errs []error
		for _, err := range iptables.Lines([]byte(text)) {
			if err != nil {
				errs = append(errs, err)
			}
		}
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), want) {
			t.Errorf("%q: %v, want %q", text, errs, want)
		}
	}
	rules := 0
	for l, err := range iptables.Lines([]byte("*filter\n%%\n-A INPUT -j DROP\nCOMMIT\n")) {
		if err == nil && l.Verb != "" {
			rules++
		}
	}
	if rules != 1 {
		t.Errorf("%d rules after a line that is none", rules)
	}
}

func words(t *testing.T, rule string) []string {
	t.Helper()
	w, err := quoted.Split(rule, quoted.Escaped)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestAnyRule reads foreign rules; the text of comments is ignored.
func TestAnyRule(t *testing.T) {
	for rule, want := range map[string][2]string{
		`-p tcp -m tcp --dport 80 -j ACCEPT`:                         {"ACCEPT", "80"},
		`-m comment --comment "-j" -j DROP`:                          {"DROP", ""},
		`-m comment --comment "--dport" -m tcp ! --dport 80 -g X`:    {"X", ""},
		`-m string --string "-j" --algo bm -j LOG --log-prefix "-j"`: {"LOG", ""},
		`-m comment --comment -j`:                                    {"", ""},
	} {
		w := words(t, rule)
		port, _ := iptables.Value(w, "--dport")
		if got := [2]string{iptables.Leads(w), port}; got != want {
			t.Errorf("%s: %q, want %q", rule, got, want)
		}
	}
	if got, _ := iptables.Value(words(t, `-m comment --comment "--comment x" -j DROP`), "--comment"); got != "--comment x" {
		t.Errorf("comment %q", got)
	}
	if got := iptables.Sets(words(t, "-m set --match-set a dst -m set ! --match-set b src -m comment --comment --match-set -j SET --add-set c src")); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("sets %q", got)
	}
}

func TestParseRule(t *testing.T) {
	r, err := iptables.ParseRule(words(t, `! -s 10.0.0.0/8 -p tcp -m comment --comment "a b" -m set ! --match-set x dst,dst -m tcp --dport 80 -j DNAT --to-destination 10.1.0.1:80`))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Matches) != 5 || !r.Matches[0].Negated || !r.Matches[3].Negated || r.Value("--match-set") != "" || r.Value("--comment") != "a b" ||
		r.Value("--dport") != "80" || r.Target.Name != "DNAT" || r.Target.Value("--to-destination") != "10.1.0.1:80" {
		t.Errorf("%+v", r)
	}
	for _, rule := range []string{
		"", "-p tcp", "-j", "-m string --algo bm -j X", "--dport 80 -j X", "-m tcp -j X", "-m tcp --dports 1,2 -j X", "! -m tcp --dport 1 -j X",
		"-m tcp -p tcp --dport 1 -j X", "-j DROP -p tcp", "-g DROP", "-j X --option", "-j SET --exist --exist", "-o eth0 -j X", "! -j X",
	} {
		if r, err := iptables.ParseRule(words(t, rule)); err == nil {
			t.Errorf("%q is %+v", rule, r)
		}
	}
}
