package manifest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// read loads one file with a Memo, which may be nil.
func readWith(t *testing.T, m *Memo, path string) (objects.Set, diag.List) {
	t.Helper()
	set, diags, err := Load(context.Background(), Options{Paths: []string{path}, Memo: m})
	if err != nil {
		t.Fatal(err)
	}
	return set, diags
}

// TestMemoChangesNothing edits the inputs of all golden cases, at the same path, so that one
// Memo sees them all. Broken, shifted and repeated texts are among the edits.
func TestMemoChangesNothing(t *testing.T) {
	inputs, err := filepath.Glob("../../../golden/cases/*/input.yaml")
	if err != nil || len(inputs) < 100 {
		t.Fatalf("%d golden cases, %v", len(inputs), err)
	}
	edits := []func(string) string{
		func(s string) string { return s },
		func(s string) string { return "# one line more\n" + s },
		func(s string) string { return strings.Replace(s, "port: ", "port: x", 1) },
		func(s string) string { return s + "\n---\na: [\n" },
		func(s string) string { return s + "\n---\n" + s },
		func(s string) string { return strings.ReplaceAll(s, "name: ", "nmae: ") },
	}
	path, memo := filepath.Join(t.TempDir(), "input.yaml"), NewMemo()
	for _, input := range inputs {
		text, err := os.ReadFile(input)
		if err != nil {
			t.Fatal(err)
		}
		for i, edit := range append(edits, edits[0]) {
			if err := os.WriteFile(path, []byte(edit(string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
			wantSet, wantDiags := readWith(t, nil, path)
			set, diags := readWith(t, memo, path)
			if d := cmp.Diff(fmt.Sprint(wantDiags), fmt.Sprint(diags)); d != "" {
				t.Fatalf("%s, edit %d: other findings with a Memo (-without, +with):\n%s", input, i, d)
			}
			if d := cmp.Diff(wantSet, set); d != "" {
				t.Fatalf("%s, edit %d: other objects with a Memo (-without, +with):\n%s", input, i, d)
			}
		}
	}
}

// TestMemoDecodesChangesOnly counts texts that are decoded: a change costs its own document.
func TestMemoDecodesChangesOnly(t *testing.T) {
	path, memo := filepath.Join(t.TempDir(), "a.yaml"), NewMemo()
	write := func(port int) {
		t.Helper()
		var b strings.Builder
		for i := range 50 {
			fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d, namespace: a}\nspec:\n  ports: [{port: %d}]\n", i, 80+i/49*port)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(0)
	readWith(t, memo, path)
	first := len(memo.young)
	for i := range 3 {
		write(i + 1)
		if set, _ := readWith(t, memo, path); len(set.Services) != 50 || set.Services[49].Object.Spec.Ports[0].Port != int32(81+i) {
			t.Fatalf("change %d is not in the %d Services", i, len(set.Services))
		}
	}
	if first < 50 || len(memo.young) != first+3 {
		t.Errorf("%d texts at first, and %d after 3 changes of one", first, len(memo.young))
	}
}

// TestMemoIsBounded fills both halves.
func TestMemoIsBounded(t *testing.T) {
	memo := NewMemo()
	for i := range 80 {
		memo.keep(&memoKey{text: strings.Repeat("#", 1<<20), line: i}, &outcome{})
	}
	if n := len(memo.young) + len(memo.old); n < 16 || n > 32 {
		t.Errorf("%d texts of 1 MiB are held, want 16 to 32", n)
	}
	if memo.find(&memoKey{text: strings.Repeat("#", 1<<20), line: 79}) == nil || memo.find(&memoKey{text: strings.Repeat("#", 1<<20)}) != nil {
		t.Error("the last text is gone, or the first one is held")
	}
}
