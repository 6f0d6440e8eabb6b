package applier_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/apply/applier"
)

// three are three backends whose rules a test can put into the kernel.
func three(t *testing.T) (a *applier.Applier, planes map[string]*memory, log *[]string) {
	t.Helper()
	log = &[]string{}
	planes = make(map[string]*memory)
	all := make(map[string]applier.Dataplane)
	for _, name := range []string{"one", "two", "three"} {
		planes[name] = &memory{log: log, name: name}
		all[name] = planes[name]
	}
	return applier.New(all, applier.NewRecord(t.TempDir())), planes, log
}

// TestOthersInTurn removes the backend that served first, then what else is there, and
// does not look again until it is told to.
func TestOthersInTurn(t *testing.T) {
	a, planes, log := three(t)
	if _, err := a.Apply(t.Context(), entry("two", "rules")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "three"} {
		planes[name].content = "left"
	}
	a.LookAgain()
	*log = nil
	if _, err := a.Apply(t.Context(), entry("three", "rules")); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(*log, ", "); got != "three applies, two cleans, one cleans" {
		t.Errorf("log: %s", got)
	}
	planes["one"].content, *log = "come back", nil
	for _, rules := range []string{"new", "newer"} {
		if _, err := a.Apply(t.Context(), entry("three", rules)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(*log, ", "); got != "three applies, three applies" {
		t.Errorf("it looked again: %s", got)
	}
	a.LookAgain()
	if _, err := a.Apply(t.Context(), entry("three", "newest")); err != nil || planes["one"].content != "" {
		t.Errorf("told to look again: %v, %q", err, planes["one"].content)
	}
}

// composed is a backend that serves with the rules of another one.
type composed struct{ *memory }

func (composed) With() string { return "one" }

// TestComposed leaves the rules of the backend that another one serves with where they
// are, in both directions; only a third one takes the place of both.
func TestComposed(t *testing.T) {
	log := &[]string{}
	one, two, three := &memory{log: log, name: "one"}, &memory{log: log, name: "two"}, &memory{log: log, name: "three"}
	a, _ := of(t, map[string]applier.Dataplane{"one": one, "two": composed{two}, "three": three})
	one.content = "served"
	p, err := a.PlanSwitch(t.Context(), entry("two", "rules"))
	if err != nil || len(p.Steps()) != 1 {
		t.Errorf("the plan: %v, %v", p, err)
	}
	if _, err := a.Apply(t.Context(), entry("two", "rules")); err != nil || one.content != "served" || two.content != "rules" {
		t.Errorf("%v, %q, %q", err, one.content, two.content)
	}
	if _, err := a.Apply(t.Context(), entry("one", "served")); err != nil || one.content != "served" || two.content != "" {
		t.Errorf("%v, %q, %q", err, one.content, two.content)
	}
	if _, err := a.Apply(t.Context(), entry("two", "rules")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Apply(t.Context(), entry("three", "rules")); err != nil || one.content != "" || two.content != "" {
		t.Errorf("%v, %q, %q", err, one.content, two.content)
	}
	one.content, two.content, *log = "served", "rules", nil
	if _, err := a.Clean(t.Context(), "two"); err != nil || one.content != "" || two.content != "" {
		t.Errorf("%v, %q, %q", err, one.content, two.content)
	}
	if got := strings.Join(*log, ", "); got != "two cleans, one cleans" {
		t.Errorf("log: %s", got)
	}
}

// TestComposedGoesBack restores the rules of the backend that another one serves with,
// as they were before.
func TestComposedGoesBack(t *testing.T) {
	log := &[]string{}
	one, two := &memory{log: log, name: "one", content: "before"}, &memory{log: log, name: "two"}
	a, _ := of(t, map[string]applier.Dataplane{"one": one, "two": composed{two}})
	s, err := a.Snapshot(t.Context(), "two")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Install(t.Context(), entry("two", "rules")); err != nil {
		t.Fatal(err)
	}
	one.content = "changed with the other"
	if err := a.Restore(t.Context(), s); err != nil || one.content != "before" || two.content != "" {
		t.Errorf("%v, %q, %q", err, one.content, two.content)
	}
}

// leaver is a dataplane that does not know what is left of it.
type leaver struct {
	*memory
	err error
}

func (l leaver) Left(context.Context) ([]string, error) { return nil, l.err }

// TestLeftUnknown has a plan doubt what is there of a backend that did not serve, and
// fail where the one that did cannot be asked.
func TestLeftUnknown(t *testing.T) {
	log := &[]string{}
	one := leaver{&memory{log: log, name: "one"}, errKernel}
	two := &memory{log: log, name: "two"}
	a, _ := of(t, map[string]applier.Dataplane{"one": one, "two": two})
	var doubts []error
	a.Doubt = func(err error) { doubts = append(doubts, err) }
	if p, err := a.PlanSwitch(t.Context(), entry("two", "rules")); err != nil || len(p.Steps()) != 1 || len(doubts) != 1 || !errors.Is(doubts[0], errKernel) {
		t.Errorf("%v, %v, doubts %v", p, err, doubts)
	}
	if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.PlanSwitch(t.Context(), entry("two", "rules")); !errors.Is(err, errKernel) {
		t.Errorf("the one that serves: %v", err)
	}
	two.blind = 1
	if _, err := a.PlanSwitch(t.Context(), entry("two", "rules")); err == nil {
		t.Error("a plan that cannot be made is none")
	}
}

// keepless has no way back to what it has.
type keepless struct {
	*memory
	snapshots int
}

func (k *keepless) Snapshot(context.Context) (func(context.Context) error, error) {
	k.snapshots++
	return nil, errKernel
}

// TestSpared leaves a backend alone of which it cannot be read what there is to go back
// to, says so, and fails where that is the one that serves.
func TestSpared(t *testing.T) {
	log := &[]string{}
	one, two := &keepless{memory: &memory{log: log, name: "one", content: "left"}}, &memory{log: log, name: "two"}
	a, _ := of(t, map[string]applier.Dataplane{"one": one, "two": two})
	var doubts []error
	a.Doubt = func(err error) { doubts = append(doubts, err) }
	if _, err := a.Snapshot(t.Context(), "two"); err != nil || one.snapshots != 1 {
		t.Fatalf("%v after %d", err, one.snapshots)
	}
	if _, err := a.Install(t.Context(), entry("two", "rules")); err != nil || one.content != "left" || len(doubts) != 1 {
		t.Errorf("%v, %q, doubts %v", err, one.content, doubts)
	}
	b, _ := of(t, map[string]applier.Dataplane{"one": one, "two": two})
	if err := b.Remember(entry("one", "rules"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Snapshot(t.Context(), "two"); !errors.Is(err, errKernel) {
		t.Errorf("the one that serves: %v", err)
	}
}

// TestFinishOthers removes another backend's rules although the context has ended, where
// what has begun is to be finished.
func TestFinishOthers(t *testing.T) {
	for _, finish := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		cleaned := false
		one := &odd{clean: func(ctx context.Context) ([]string, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			cleaned = true
			return []string{"remove it"}, nil
		}}
		done := false
		two := &odd{
			plan: func() ([]string, error) {
				if done {
					return nil, nil
				}
				return []string{"a step"}, nil
			},
			apply: func(context.Context) error { done = true; cancel(); return nil },
		}
		a, _ := of(t, map[string]applier.Dataplane{"one": one, "two": two})
		a.Finish = finish
		p, err := a.Apply(ctx, entry("two", "rules"))
		if cleaned != finish {
			t.Errorf("finish %v: cleaned %v, %v", finish, cleaned, err)
		}
		if finish && (err != nil || strings.Join(p.Steps(), ", ") != "a step, remove it" || p.Empty()) {
			t.Errorf("%v, %v", p, err)
		}
	}
}

// reader reads artifacts.
type reader struct {
	*memory
	err error
}

func (r reader) Read(backends.Artifact) (backends.Served, error) {
	return backends.Served{Pods: []backends.ServedPod{{Name: "a"}}}, r.err
}

// TestRead says what an artifact serves, or why that is not known.
func TestRead(t *testing.T) {
	log := &[]string{}
	a, _ := of(t, map[string]applier.Dataplane{
		"one": reader{&memory{log: log}, nil}, "bad": reader{&memory{log: log}, errKernel},
	})
	if s, err := a.Read(entry("one", "x")); err != nil || len(s.Pods) != 1 {
		t.Errorf("%v, %v", s, err)
	}
	for name, want := range map[string]string{
		"bad":     "reading the artifact of backend bad: the kernel says no",
		"nowhere": "backend nowhere cannot be applied on this system",
	} {
		if _, err := a.Read(entry(name, "x")); text(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSwitchFromNothing goes back to nothing where nothing was there before, though the
// apply removed what another backend had left.
func TestSwitchFromNothing(t *testing.T) {
	a, planes, _ := three(t)
	planes["one"].content = "left"
	p, err := a.Apply(t.Context(), entry("two", "rules"))
	if err != nil {
		t.Fatal(err)
	}
	if !p.FromNothing() || p.Empty() {
		t.Errorf("%v", p)
	}
	planes["one"].content = "left again"
	a.LookAgain()
	if p, err = a.Apply(t.Context(), entry("two", "others")); err != nil {
		t.Fatal(err)
	}
	if p.FromNothing() {
		t.Error("it says that nothing was there")
	}
	if _, err := a.Last(); err != nil {
		t.Fatal(err)
	}
	if err := a.Refused(); err != nil {
		t.Fatal(err)
	}
}
