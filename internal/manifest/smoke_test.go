package manifest_test

import (
	"testing"

	"github.com/planec/planec/internal/manifest"
)

func TestCorpusDump(t *testing.T) {
	set, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{"../../../shared/corpus"}, Recursive: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(len(set.Services), len(set.Namespaces))
	for _, d := range diags {
		t.Log(d)
	}
}
