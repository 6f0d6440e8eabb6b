package applier_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/internal/apply/applier"
)

// TestOthersByKernel removes what is there of another backend, whatever has become of
// the record.
func TestOthersByKernel(t *testing.T) {
	for name, spoil := range map[string]func(state string) error{
		"nothing":    func(string) error { return nil },
		"it is lost": os.RemoveAll,
		"it is damaged": func(state string) error {
			return os.WriteFile(filepath.Join(state, "last.artifact"), []byte("{}"), 0o600)
		},
		"it says that nothing is left": func(state string) error {
			return put(applier.NewRecord(state), entry("two", "rules"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, one, two, log, dir := setUp(t)
			if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil {
				t.Fatal(err)
			}
			if err := spoil(filepath.Join(dir, "state")); err != nil {
				t.Fatal(err)
			}
			p, err := a.PlanSwitch(t.Context(), entry("two", "rules"))
			if err != nil || strings.Join(p.Steps(), "; ") != `"" becomes "rules"; remove rules` || one.content != "rules" {
				t.Errorf("the plan: %v, %v", p, err)
			}
			if _, err := a.Install(t.Context(), entry("two", "rules")); err != nil || one.content != "" || two.content != "rules" {
				t.Errorf("%v: %q, %q", err, one.content, two.content)
			}
			if got := strings.Join(*log, ", "); got != "one applies, two applies, one cleans" {
				t.Errorf("log: %s", got)
			}
		})
	}
}

// TestOthersLeft says that another backend's rules are left, and the next apply removes
// them though the record does not know.
func TestOthersLeft(t *testing.T) {
	a, one, two, _, _ := setUp(t)
	if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil {
		t.Fatal(err)
	}
	one.fail = errors.New("in use")
	_, err := a.Apply(t.Context(), entry("two", "rules"))
	var left *applier.LeftError
	if !errors.As(err, &left) || left.Serves != "two" || left.Left != "one" || !errors.Is(err, one.fail) || two.content != "rules" {
		t.Errorf("got %v", err)
	}
	one.fail = nil
	if _, err := a.Apply(t.Context(), entry("two", "rules")); err != nil || one.content != "" {
		t.Errorf("the next apply: %v, %q", err, one.content)
	}
}

// TestOthersUnknown serves though it cannot be found out what another backend has, says
// so, and looks again the next time.
func TestOthersUnknown(t *testing.T) {
	a, one, two, _, _ := setUp(t)
	var doubts []error
	a.Doubt = func(err error) { doubts = append(doubts, err) }
	one.fail = errors.New("no answer")
	for n := range 2 {
		if _, err := a.Apply(t.Context(), entry("two", "rules")); err != nil || len(doubts) != n+1 || !errors.Is(doubts[n], one.fail) {
			t.Errorf("%d: %v, %v", n, err, doubts)
		}
	}
	one.fail, one.content = nil, "rules"
	if _, err := a.Apply(t.Context(), entry("two", "rules")); err != nil || one.content != "" || two.content != "rules" {
		t.Errorf("%v: %q, %q", err, one.content, two.content)
	}
}

// TestStaged wants a record that is staged to count only once it is committed.
func TestStaged(t *testing.T) {
	a, _, _, _, dir := setUp(t)
	if _, err := a.Apply(t.Context(), entry("one", "first")); err != nil {
		t.Fatal(err)
	}
	last := func() string {
		e, err := a.Last()
		if err != nil {
			t.Fatal(err)
		}
		return string(e.Artifact.File("rules"))
	}
	p, err := a.Install(t.Context(), entry("one", "second"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Stage(entry("one", "second"), p)
	if err != nil || last() != "first" {
		t.Errorf("staged: %v, %s", err, last())
	}
	if err := s.Discard(); err != nil || last() != "first" {
		t.Errorf("discarded: %v, %s", err, last())
	}
	if files, err := filepath.Glob(filepath.Join(dir, "state", "next*")); err != nil || len(files) > 0 {
		t.Errorf("left: %v, %v", files, err)
	}
	if s, err = a.Stage(entry("one", "second"), p); err == nil {
		err = s.Commit()
	}
	if err != nil || last() != "second" {
		t.Errorf("committed: %v, %s", err, last())
	}
	if previous, err := a.Previous(); err != nil || string(previous.Artifact.File("rules")) != "first" {
		t.Errorf("previous: %v", err)
	}
}
