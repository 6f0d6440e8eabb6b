package suppress_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/suppress"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

func same(file string) string { return file }

func at(name, file string, line int) ir.Origin {
	return ir.Origin{Kind: "Service", Namespace: "shop", Name: name, File: file, Line: line, Path: "spec.selector"}
}

func found(code diag.Code, origin ir.Origin, message string) diag.Diagnostic {
	return diag.Diagnostic{Code: code, Origin: origin, Message: message}
}

// TestRules leaves each finding out by the first rule that knows it, and counts it there.
func TestRules(t *testing.T) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "web", Annotations: map[string]string{objects.IgnoreAnnotation: " PLC0711,PLC0004\nPLC07x "},
	}}
	annotations, wrong := suppress.ReadAnnotations(&objects.Set{Services: []objects.Sourced[*corev1.Service]{{Object: service, File: "a.yaml", Line: 3}}}, nil)
	if len(wrong) != 1 || wrong[0].Code != diag.UnknownIgnored || wrong[0].Origin.Line != 3 || !strings.Contains(wrong[0].Message, `"PLC07x" is no code`) {
		t.Errorf("a word that is no code: %v", wrong)
	}
	all := diag.List{
		found(diag.SelectsNothing, at("web", "a.yaml", 5), "x"),
		found(diag.SelectsNothing, at("cart", "a.yaml", 9), "x"),
		found(diag.DuplicateObject, at("web", "a.yaml", 3), "x"), // not the object's to decide
		found(diag.NodePortClash, at("cart", "a.yaml", 12), "x"),
		found(diag.BadDocument, ir.Origin{File: "b.yaml", Line: 1}, "x"),
		found(diag.PodsElsewhere, at("cart", "a.yaml", 9), "x"),
	}
	rules := suppress.Rules{
		Annotations: annotations,
		Codes:       []diag.Code{diag.NodePortClash},
		Baseline:    suppress.NewBaseline(diag.List{all[0], all[1], all[4], all[5]}, same),
	}
	left, ignored := rules.Apply(all)
	if len(left) != 2 || left[0] != all[2] || left[1] != all[5] {
		t.Errorf("left: %v", left)
	}
	if got, want := ignored.String(), "4 ignored: 1 by annotation, 1 by --ignore, 2 by baseline"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if stale := rules.Baseline.Stale(); len(stale) != 1 || stale[0].Object != "Service shop/web" {
		t.Errorf("stale: %v", stale)
	}
}

// TestBaseline comes back from its file, and knows findings whose lines, fields and
// numbers of pods are others, as often as they were there.
func TestBaseline(t *testing.T) {
	then := diag.List{
		found(diag.SelectsNothing, at("web", "dir/a.yaml", 5), "none of 3 pods has the labels app=web"),
		found(diag.PeerNobody, at("web", "dir/a.yaml", 7), "none of 3 pods has 80/tcp"),
		found(diag.PeerNobody, at("web", "dir/a.yaml", 8), "none of 3 pods has 80/tcp"),
	}
	cut := func(file string) string { return strings.TrimPrefix(file, "dir/") }
	var text strings.Builder
	if err := suppress.NewBaseline(then, cut).Write(&text); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), "dir/") || !strings.Contains(text.String(), `"count": 2`) {
		t.Errorf("written: %s", text.String())
	}
	b, err := suppress.ReadBaseline([]byte(text.String()), cut)
	if err != nil || b.Len() != 3 {
		t.Fatal(b, err)
	}
	now := diag.List{
		found(diag.SelectsNothing, at("web", "dir/a.yaml", 50).At("spec"), "none of 4 pods has the labels app=web"),
		found(diag.PeerNobody, at("web", "dir/a.yaml", 7), "none of 1 pods has 80/tcp"),
		found(diag.PeerNobody, at("web", "dir/a.yaml", 8), "none of 1 pods has 81/tcp"),
		found(diag.PeerNobody, at("cart", "dir/a.yaml", 8), "none of 3 pods has 80/tcp"),
		found(diag.PeerNobody, at("web", "dir/b.yaml", 8), "none of 3 pods has 80/tcp"),
	}
	rules := suppress.Rules{Baseline: b}
	left, _ := rules.Apply(now)
	if len(left) != 3 || left[0] != now[2] || len(b.Stale()) != 1 {
		t.Errorf("left: %v; stale: %v", left, b.Stale())
	}
}

// TestBadBaselines refuses what is no baseline, whole.
func TestBadBaselines(t *testing.T) {
	const head = `{"apiVersion": "planec.io/v1alpha1", "kind": "LintBaseline", "findings": [`
	for _, text := range []string{
		"", "[]", `{"kind": "LintBaseline", "findings": []}`,
		head + `{"code": "PLC0711"}]}`,
		head + `{"code": "PLC0711", "message": "x", "count": -1}]}`,
		head + `{"code": "PLC0711", "message": "x", "line": 4}]}`,
		head + `]} {}`,
	} {
		if _, err := suppress.ReadBaseline([]byte(text), same); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}
