package manifest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

// TestCorpus loads real projects' manifests. None of them is broken, so nothing
// in them may be an error.
func TestCorpus(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "shared", "corpus")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: no corpus of real manifests at %s", dir)
	}
	set, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{dir}, Recursive: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diags {
		if d.Severity() != diag.Info {
			t.Error(d)
		}
	}
	if len(set.Services) < 100 {
		t.Errorf("only %d Services", len(set.Services))
	}
}
