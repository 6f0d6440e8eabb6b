package testkit_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

func TestCompare(t *testing.T) {
	node := []netip.Addr{addr("192.0.2.10"), addr("192.0.2.11")}
	f := flow(eval.FromOutside, "203.0.113.9", "10.96.0.1:80", ir.TCP)
	answered := func(by, saw string) testkit.Outcome {
		return testkit.Outcome{Fate: testkit.Answered, Endpoint: netip.MustParseAddrPort(by), Source: addr(saw), AnsweredBy: testkit.WorldSide}
	}
	refused, silent := testkit.Outcome{Fate: testkit.Refused}, testkit.Outcome{Fate: testkit.TimedOut}
	pool := eval.Result{Verdict: eval.DNAT, Endpoints: []eval.Choice{
		{Address: netip.MustParseAddrPort("10.1.0.5:8080"), Masquerade: true},
		{Address: netip.MustParseAddrPort("10.2.0.7:8080")},
	}}
	tests := []struct {
		name string
		want eval.Result
		got  testkit.Outcome
		err  string // a part of the error; "" is none
	}{
		{"drop", eval.Result{Verdict: eval.Drop}, silent, ""},
		{"drop refused", eval.Result{Verdict: eval.Drop}, refused, "want drop"},
		{"drop leaks", eval.Result{Verdict: eval.Drop}, answered("10.96.0.1:80", "203.0.113.9"), "want drop"},
		{"reject", eval.Result{Verdict: eval.Reject}, refused, ""},
		{"reject silent", eval.Result{Verdict: eval.Reject}, silent, "want reject"},
		{"reject leaks", eval.Result{Verdict: eval.Reject}, answered("10.96.0.1:80", "203.0.113.9"), "want reject"},
		{"pass", eval.Result{Verdict: eval.Pass}, answered("10.96.0.1:80", "203.0.113.9"), ""},
		{"pass elsewhere", eval.Result{Verdict: eval.Pass}, answered("10.2.0.7:8080", "203.0.113.9"), "want pass to 10.96.0.1:80"},
		{"pass wrongly masqueraded", eval.Result{Verdict: eval.Pass}, answered("10.96.0.1:80", "192.0.2.10"), "to stay 203.0.113.9"},
		{"pass masqueraded", eval.Result{Verdict: eval.Pass, Masquerade: true}, answered("10.96.0.1:80", "192.0.2.11"), ""},
		{"pass not masqueraded", eval.Result{Verdict: eval.Pass, Masquerade: true}, answered("10.96.0.1:80", "203.0.113.9"), "masqueraded to one of"},
		{"dnat", pool, answered("10.2.0.7:8080", "203.0.113.9"), ""},
		{"dnat masqueraded", pool, answered("10.1.0.5:8080", "192.0.2.10"), ""},
		{"dnat with the other's masquerade", pool, answered("10.1.0.5:8080", "203.0.113.9"), "masqueraded to one of"},
		{"dnat to another port", pool, answered("10.2.0.7:8081", "203.0.113.9"), "want dnat to one of"},
		{"dnat missing", pool, answered("10.96.0.1:80", "203.0.113.9"), "want dnat to one of"},
		{"dnat refused", pool, refused, "want dnat"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := testkit.Compare(f, tt.want, tt.got, node)
			switch {
			case tt.err == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}
