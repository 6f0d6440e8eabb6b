package applier_test

import (
	"context"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/apply/applier"
)

// TestPlaceIsRecorded: a rollback puts programs where they were, and not where they are by default.
func TestPlaceIsRecorded(t *testing.T) {
	o := &odd{
		clean:    func(context.Context) ([]string, error) { return nil, nil },
		snapshot: func() (func(context.Context) error, error) { return func(context.Context) error { return nil }, nil },
		served:   func() (backends.Served, error) { return backends.Served{}, nil },
		apply:    func(context.Context) error { return nil },
	}
	a, _ := of(t, map[string]applier.Dataplane{"programs": o, "rules": bare{o}})
	for _, backend := range []string{"programs", "rules", "programs"} {
		a.Place = "/sys/fs/cgroup/pods"
		if _, err := a.Apply(t.Context(), entry(backend, backend)); err != nil {
			t.Fatal(err)
		}
	}
	last, err := a.Last()
	if err != nil || last.Place != "/sys/fs/cgroup/pods" {
		t.Errorf("the programs are on %q, %v", last.Place, err)
	}
	if previous, err := a.Previous(); err != nil || previous.Place != "" {
		t.Errorf("rules are on %q, %v", previous.Place, err)
	}
}
