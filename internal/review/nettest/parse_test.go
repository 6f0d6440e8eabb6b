package nettest_test

import (
	"strings"
	"testing"

	"github.com/planec/planec/internal/review/nettest"
)

const file = `apiVersion: planec.io/v1alpha1
kind: NetworkTest
manifests: [a.yaml, k8s/*.yaml]
node: node-a
synth: true
cases:
- {from: shop/web, to: svc/shop/db, port: 5432, expect: Allow}
- name: seen
  from: 203.0.113.7
  to: node/node-b
  port: 30080
  node: node-b
  expect: {endpoints: [], sourcePreserved: false}
`

func TestParse(t *testing.T) {
	f, err := nettest.Parse("f.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Manifests) != 2 || !f.Synth || len(f.Cases) != 2 {
		t.Fatalf("%+v", f)
	}
	first, second := f.Cases[0], f.Cases[1]
	if first.Name != "shop/web to svc/shop/db, port 5432" || first.Node != "node-a" || first.Expect.Verdict != nettest.Allow || first.Line != 7 {
		t.Errorf("%+v", first)
	}
	if second.Node != "node-b" || !second.Expect.HasEndpoints || second.Expect.SourcePreserved == nil || *second.Expect.SourcePreserved {
		t.Errorf("%+v", second)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(file)
	f.Add("cases: &a [*a]")
	f.Add("manifests: x\ncases: [{<<: {from: a}}]")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := nettest.Parse("f.yaml", []byte(text))
		if err == nil && (len(parsed.Cases) == 0 || len(parsed.Manifests) == 0) {
			t.Error("a file of nothing is accepted")
		}
		if err != nil && !strings.Contains(err.Error(), "f.yaml") {
			t.Errorf("the error does not name the file: %v", err)
		}
	})
}

func TestCheck(t *testing.T) {
	web, db := nettest.Endpoint{Address: "10.0.0.1:80", Pod: "shop/web-0", Workload: "shop/web"}, nettest.Endpoint{Address: "10.0.0.2:80"}
	yes, no := true, false
	for _, c := range []struct {
		expect nettest.Expectation
		answer nettest.Answer
		want   string
	}{
		{nettest.Expectation{Verdict: nettest.Deny}, nettest.Answer{Verdict: nettest.Drop}, ""},
		{nettest.Expectation{Verdict: nettest.Deny}, nettest.Answer{Verdict: nettest.Reject}, ""},
		{nettest.Expectation{Verdict: nettest.Drop}, nettest.Answer{Verdict: nettest.Reject}, "expected drop, but it is rejected"},
		{nettest.Expectation{Verdict: nettest.Allow}, nettest.Answer{Verdict: nettest.Mixed, Endpoints: []nettest.Endpoint{web}, Denied: []nettest.Endpoint{db}}, "and to 10.0.0.2:80, where it is refused"},
		{nettest.Expectation{Verdict: nettest.Deny}, nettest.Answer{Verdict: nettest.Mixed}, "expected deny"},
		{nettest.Expectation{Endpoints: []string{"shop/web", "10.0.0.2"}, HasEndpoints: true}, nettest.Answer{Verdict: nettest.Allow, Endpoints: []nettest.Endpoint{web, db}}, ""},
		{nettest.Expectation{Endpoints: []string{"shop/web-0"}, HasEndpoints: true}, nettest.Answer{Verdict: nettest.Allow, Endpoints: []nettest.Endpoint{web, db}}, "given to 10.0.0.2:80 too"},
		{nettest.Expectation{Endpoints: []string{"10.0.0.2:81"}, HasEndpoints: true}, nettest.Answer{Verdict: nettest.Allow, Endpoints: []nettest.Endpoint{db}}, "10.0.0.2:81, which it never gets, but not 10.0.0.2:80"},
		{nettest.Expectation{SourcePreserved: &yes}, nettest.Answer{Verdict: nettest.Allow, Preserved: true, Hidden: true}, "it sees a node's"},
		{nettest.Expectation{SourcePreserved: &no}, nettest.Answer{Verdict: nettest.Allow, Hidden: true}, ""},
		{nettest.Expectation{SourcePreserved: &no}, nettest.Answer{Verdict: nettest.Drop}, "expected it to arrive"},
	} {
		r := nettest.Check(&nettest.Case{Expect: c.expect}, []nettest.Answer{c.answer, c.answer})
		switch {
		case c.want == "" && len(r.Failures) > 0:
			t.Errorf("%+v, %+v: %s", c.expect, c.answer, r.Failures[0].Text)
		case c.want != "" && (len(r.Failures) != 1 || !strings.Contains(r.Failures[0].Text, c.want)):
			t.Errorf("%+v, %+v: %+v, want one %q", c.expect, c.answer, r.Failures, c.want)
		}
	}
}
