package connwrite_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/internal/review/connwrite"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
)

var forms = map[string]func(io.Writer, *connectivity.Map, *connwrite.Options) error{
	"text": connwrite.Text, "md": connwrite.Markdown, "csv": connwrite.CSV, "json": connwrite.JSON, "dot": connwrite.DOT, "svg": connwrite.SVG, "html": connwrite.HTML,
}

// TestForms writes random clusters in every form: twice the same bytes, and valid where a
// program reads them.
func TestForms(t *testing.T) {
	for seed := uint64(1); seed < 20; seed += 2 {
		set := randomcluster.New(seed).Objects
		for name, write := range forms {
			var out [2]bytes.Buffer
			for i := range out {
				m := connectivity.Of(&set, compiler.Prepare(&set, objects.Config{}), nil)
				if err := write(&out[i], m, &connwrite.Options{Explain: true}); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(out[0].Bytes(), out[1].Bytes()) {
				t.Fatalf("seed %d: two forms of %s", seed, name)
			}
			valid(t, name, out[0].Bytes())
		}
	}
}

// TestHostileNames writes names that a file can contain though no API server stores them:
// no form lets them end a field or move a terminal's cursor.
func TestHostileNames(t *testing.T) {
	set := objects.Set{}
	for i, name := range []string{`a"]];b`, "a\x1b[2J", "</text><script>", "=cmd()", "a|b`c", "a\nb"} {
		set.Pods = append(set.Pods, objects.Sourced[*corev1.Pod]{Object: &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "=" + name, Name: name},
			Status:     corev1.PodStatus{PodIP: fmt.Sprintf("10.244.0.%d", i+1)},
		}})
	}
	for name, write := range forms {
		var out bytes.Buffer
		m := connectivity.Of(&set, compiler.Prepare(&set, objects.Config{}), nil)
		if err := write(&out, m, &connwrite.Options{Explain: true}); err != nil {
			t.Fatal(err)
		}
		valid(t, name, out.Bytes())
		markup := name == "html" || name == "svg" || name == "md"
		if strings.Contains(out.String(), "\x1b") || markup && strings.Contains(out.String(), "<script>") {
			t.Errorf("%s: %q", name, out.String())
		}
	}
}

func valid(t *testing.T, name string, b []byte) {
	t.Helper()
	var err error
	switch name {
	case "json":
		err = json.Unmarshal(b, &struct{}{})
	case "csv":
		_, err = csv.NewReader(bytes.NewReader(b)).ReadAll()
	case "svg":
		d := xml.NewDecoder(bytes.NewReader(b))
		for err == nil {
			_, err = d.Token()
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, b)
	}
}

// TestFolded wants one box for a cluster without policies, however many workloads it has,
// and a text that does not grow with the pairs.
func TestFolded(t *testing.T) {
	set := objects.Set{}
	for i := range 300 {
		set.Pods = append(set.Pods, objects.Sourced[*corev1.Pod]{Object: &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("w%dx", i)},
			Status:     corev1.PodStatus{PodIP: fmt.Sprintf("10.244.%d.%d", i/200, i%200+1)},
		}})
	}
	m := connectivity.Of(&set, compiler.Prepare(&set, objects.Config{}), nil)
	if len(m.Ends) != 300 || len(m.Edges) != 3 {
		t.Errorf("%d ends and %d edges, want 300 and 3: among them, from and to outside", len(m.Ends), len(m.Edges))
	}
	if e := m.Ends[0]; e.Guarded[ir.Ingress] || e.Selected[ir.Egress] {
		t.Errorf("%v has policies", e)
	}
	connected, all := m.Counts()
	if connected != 300*299 || all != connected {
		t.Errorf("%d of %d pairs", connected, all)
	}
	var text, dot bytes.Buffer
	if err := errors.Join(connwrite.Text(&text, m, &connwrite.Options{}), connwrite.DOT(&dot, m, &connwrite.Options{})); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), "\n"); n > 12 {
		t.Errorf("%d lines:\n%s", n, text.String())
	}
	if n := strings.Count(dot.String(), "->"); n != 3 {
		t.Errorf("%d arrows", n)
	}
}
