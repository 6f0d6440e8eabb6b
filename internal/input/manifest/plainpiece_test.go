package manifest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPlainPieces decodes changed objects in both ways: what is plain gives the same objects, and the
// library has nothing to say about it.
func TestPlainPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	texts, odd := yamlTexts(t), oddLines()
	odd = append(odd, "spec:", "metadata:", "kind: Service", "kind: List", "items: []", "items:", "items:\n- a: b", "apiVersion: v1", "name: x", "namespace: y", "kind: PodList", "kind: \"Service\"", "apiVersion: \"v1\"", "kind: service", "apiVersion: v2", "port: \"80\"", "port: 80", "port: 1.0", "port: 99999", "clusterIP: ~", "clusterIP: None", "clusterIP:", "$patch: delete", "selector: {}", "labels:", "annotations: []")
	s := newSchemas()
	plain := 0
	for range *plainTexts / 4 {
		text := texts[r.IntN(len(texts))]
		item := strings.HasPrefix(text, "- ")
		p := piece{text: mutate(r, text, odd), file: "f", line: 1 + r.IntN(9), yaml: true, item: item}
		if item {
			p.list, p.resolved = typeMeta{"v1", "Service"}, r.IntN(2) == 0
		}
		for _, workloads := range []bool{false, true} {
			var got, want outcome
			d := newDecoder(s)
			d.workloads = workloads
			if !d.plainPiece(&got, &p) {
				continue
			}
			plain++
			d = newDecoder(s)
			d.workloads = workloads
			d.yamlPiece(&want, &p)
			if diff := cmp.Diff(want.set, got.set); diff != "" || len(want.diags) > 0 || want.unread || len(want.pending) > 0 || cmp.Diff(want.skipped, got.skipped) != "" {
				t.Fatalf("%q: (-library +plain)\n%s\n%v\n%v", p.text, diff, want.diags, cmp.Diff(want.skipped, got.skipped))
			}
		}
	}
	if t.Logf("%d are plain", plain); plain == 0 {
		t.Error("none is plain")
	}
}
