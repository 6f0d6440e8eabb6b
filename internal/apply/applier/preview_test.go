package applier_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/testing/fakeplane"
)

// unreadable is a dataplane whose kernel cannot be read.
type unreadable struct{ fakeplane.Nothing }

func (unreadable) Left(context.Context) ([]string, error) { return nil, errKernel }

// TestPreviewClean says what a clean would remove, also beside a backend that cannot be read,
// and removes nothing.
func TestPreviewClean(t *testing.T) {
	one, two := &memory{log: &[]string{}, content: "served"}, &memory{log: &[]string{}, content: "rules"}
	a, _ := of(t, map[string]applier.Dataplane{"one": one, "two": composed{two}, "blind": unreadable{}})
	p, err := a.PreviewClean(t.Context(), "two")
	if err != nil || p.InSync || !slices.Equal(p.Steps, []string{"remove rules", "remove served"}) {
		t.Errorf("of one: %v, %v", p, err)
	}
	p, err = a.PreviewCleanAll(t.Context())
	if !errors.Is(err, errKernel) || !strings.Contains(text(err), "backend blind: looking for its rules") || !slices.Equal(p.Steps, []string{"remove served", "remove rules"}) {
		t.Errorf("of all: %v, %v", p, err)
	}
	if _, err := a.PreviewClean(t.Context(), "nine"); !strings.Contains(text(err), "nine cannot be applied") {
		t.Errorf("of none: %v", err)
	}
	if one.content != "served" || two.content != "rules" {
		t.Errorf("%q, %q", one.content, two.content)
	}
	one.content, two.content = "", ""
	if p, err := a.PreviewClean(t.Context(), "two"); err != nil || !p.InSync || len(p.Steps) > 0 {
		t.Errorf("of nothing: %v, %v", p, err)
	}
}

// TestPreviewRollback goes through what a rollback may find, and changes neither the kernel nor
// the record.
func TestPreviewRollback(t *testing.T) {
	a, one, two, log, dir := setUp(t)
	want := func(backend string, inSync bool, steps ...string) {
		t.Helper()
		before := len(*log)
		e, p, err := a.PreviewRollback(t.Context())
		if err != nil || e.Backend != backend || p.InSync != inSync || !slices.Equal(p.Steps, steps) {
			t.Errorf("%q %v: %v", e.Backend, p, err)
		}
		if len(*log) != before {
			t.Errorf("it did something: %q", *log)
		}
	}
	if _, _, err := a.PreviewRollback(t.Context()); !errors.Is(err, applier.ErrNoRecord) {
		t.Errorf("without a record: %v", err)
	}
	apply := func(backend, rules string) {
		t.Helper()
		if _, err := a.Apply(t.Context(), entry(backend, rules)); err != nil {
			t.Fatal(err)
		}
	}
	apply("one", "first")
	want("", false, "remove first")
	apply("one", "second")
	want("one", false, `"second" becomes "first"`)
	one.content = "first"
	want("one", true)
	apply("one", "second")
	apply("two", "third")
	want("one", false, `"" becomes "second"`, "remove third")
	if one.content != "" || two.content != "third" {
		t.Errorf("%q, %q", one.content, two.content)
	}
	if e, err := applier.NewRecord(filepath.Join(dir, "state")).Last(); err != nil || e.Backend != "two" {
		t.Errorf("the record: %v, %v", e, err)
	}
	if err := a.Refused(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.PreviewRollback(t.Context()); !errors.Is(err, applier.ErrTakenBack) {
		t.Errorf("what was taken back: %v", err)
	}
}
