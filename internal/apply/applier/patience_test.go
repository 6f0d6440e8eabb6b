package applier_test

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planec/planec/internal/apply/applier"
)

// TestPatience counts the tries of an apply that may expect to be refused: what changes
// nothing that is read back is believed at once, and a refusal after one more look.
func TestPatience(t *testing.T) {
	t.Parallel()
	plain := func(ctx context.Context) context.Context { return ctx }
	both := func(ctx context.Context) context.Context { return applier.Suspicious(applier.Hasty(ctx)) }
	for _, c := range []struct {
		name    string
		context func(context.Context) context.Context
		err     error
		want    []time.Duration
		// plans is how often the kernel is looked at.
		plans int
	}{
		{"it never reads back the same", plain, nil, []time.Duration{0, 100}, 5},
		{"the same, one of many", applier.Hasty, nil, []time.Duration{0}, 2},
		{"the same, after a change that failed", applier.Suspicious, nil, []time.Duration{0}, 2},
		{"refused, one of many", applier.Hasty, errKernel, []time.Duration{0}, 1},
		{"refused, after a change that failed", applier.Suspicious, errKernel, []time.Duration{0}, 2},
		{"for a moment, after a change that failed", applier.Suspicious, syscall.EAGAIN, []time.Duration{0, 20, 60, 140, 300}, 5},
		{"for a moment, both", both, syscall.EAGAIN, []time.Duration{0, 10}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				start, plans := time.Now(), 0
				var tried []time.Duration
				o := &odd{
					plan:  func() ([]string, error) { plans++; return []string{"a step"}, nil },
					apply: func(context.Context) error { tried = append(tried, time.Since(start)); return c.err },
				}
				a := applier.New(map[string]applier.Dataplane{"one": o}, applier.NewRecord(dir))
				_, err := a.Apply(c.context(t.Context()), entry("one", "x"))
				if c.err != nil && !errors.Is(err, c.err) || c.err == nil && !errors.Is(err, applier.ErrDrift) {
					t.Errorf("error %v", err)
				}
				want := slices.Clone(c.want)
				for i := range want {
					want[i] *= time.Millisecond
				}
				if !slices.Equal(tried, want) || plans != c.plans {
					t.Errorf("tried at %v, want %v; %d plans, want %d", tried, want, plans, c.plans)
				}
			})
		})
	}
}

// TestUnreadableHasty looks once more where the kernel cannot be read for a moment.
func TestUnreadableHasty(t *testing.T) {
	t.Parallel()
	n := 0
	o := &odd{plan: func() ([]string, error) { n++; return nil, syscall.EINTR }}
	a, _ := of(t, map[string]applier.Dataplane{"one": o})
	if _, err := a.Apply(applier.Hasty(t.Context()), entry("one", "x")); !errors.Is(err, syscall.EINTR) || n != 2 {
		t.Errorf("%d plans: %v", n, err)
	}
}
