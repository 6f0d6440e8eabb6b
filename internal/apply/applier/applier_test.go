package applier_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/testing/fakeplane"
)

// memory is a dataplane that can be made to fail; real ones are tried in
// internal/cli's kernel scripts.
type memory struct {
	fakeplane.Nothing
	content string
	fail    error
	// heals is how many applies fail before one goes well; 0 is none.
	heals int
	// moves makes an apply that fails leave another content.
	moves bool
	// blind is how often reading fails.
	blind int
	// applying is called during an apply.
	applying func()
	// loses makes an apply succeed and leave something out.
	loses bool
	log   *[]string
	name  string
}

func (m *memory) plan(to string) fakeplane.Plan {
	p := fakeplane.Plan{New: m.content == "", Do: func(ctx context.Context) error { return m.apply(ctx, to) }}
	if m.content != to {
		p.List = []string{fmt.Sprintf("%q becomes %q", m.content, to)}
	}
	return p
}

func (m *memory) Plan(_ context.Context, a backends.Artifact) (applier.Plan, error) {
	if m.blind > 0 {
		m.blind--
		return nil, syscall.EINTR
	}
	return m.plan(string(a.File("rules"))), nil
}

func (m *memory) Snapshot(context.Context) (func(context.Context) error, error) {
	if m.content == "" {
		return nil, nil
	}
	return m.plan(m.content).Do, nil
}

func (m *memory) apply(ctx context.Context, to string) error {
	if m.applying != nil {
		m.applying()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if err := m.fail; err != nil {
		if m.heals--; m.heals == 0 {
			m.fail = nil
		}
		if m.moves {
			m.content += "!"
		}
		return err
	}
	*m.log = append(*m.log, m.name+" applies")
	if m.content = to; m.loses {
		m.content += "?"
	}
	return nil
}

func (m *memory) Left(context.Context) ([]string, error) {
	if m.content == "" {
		return nil, nil
	}
	return []string{"remove " + m.content}, nil
}

func (m *memory) Clean(context.Context) ([]string, error) {
	if m.content == "" && m.fail == nil {
		return nil, nil // there is nothing to do
	}
	*m.log = append(*m.log, m.name+" cleans")
	if err := m.fail; err != nil {
		if m.heals--; m.heals == 0 {
			m.fail = nil
		}
		return nil, err
	}
	m.content = ""
	return nil, nil
}

func entry(backend, rules string) applier.Entry {
	return applier.Entry{Backend: backend, Artifact: backends.Artifact{Files: []backends.File{{Name: "rules", Data: []byte(rules)}}}}
}

func setUp(t *testing.T) (a *applier.Applier, one, two *memory, log *[]string, dir string) {
	t.Helper()
	dir, log = t.TempDir(), &[]string{}
	one, two = &memory{log: log, name: "one"}, &memory{log: log, name: "two"}
	return applier.New(map[string]applier.Dataplane{"one": one, "two": two}, applier.NewRecord(filepath.Join(dir, "state"))), one, two, log, dir
}

func TestApplyAndBack(t *testing.T) {
	a, one, _, log, _ := setUp(t)
	for _, rules := range []string{"first", "second", "second"} {
		if _, err := a.Apply(t.Context(), entry("one", rules)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(*log, ", "); got != "one applies, one applies" {
		t.Errorf("log: %s", got)
	}
	if e, _, err := a.Rollback(t.Context()); err != nil || string(e.Artifact.File("rules")) != "first" || one.content != "first" {
		t.Errorf("rollback: %v, %q", err, one.content)
	}
}

// TestSwitch wants the old backend to serve until the new one does.
func TestSwitch(t *testing.T) {
	a, one, two, log, _ := setUp(t)
	if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil {
		t.Fatal(err)
	}
	two.fail = errors.New("no such feature")
	if _, err := a.Apply(t.Context(), entry("two", "rules")); !errors.Is(err, two.fail) {
		t.Errorf("got %v", err)
	}
	if one.content != "rules" {
		t.Error("the old rules are gone, and the new ones never came")
	}
	two.fail = nil
	if _, err := a.Apply(t.Context(), entry("two", "rules")); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(*log, ", "); got != "one applies, two applies, one cleans" {
		t.Errorf("log: %s", got)
	}
	if e, _, err := a.Rollback(t.Context()); err != nil || e.Backend != "one" || one.content != "rules" || two.content != "" {
		t.Errorf("rollback: %v %v %q %q", err, e.Backend, one.content, two.content)
	}
}

// TestVerifies wants an apply that did not do what it said to be noticed, and
// not to be remembered.
func TestVerifies(t *testing.T) {
	t.Parallel()
	a, one, _, _, _ := setUp(t)
	if _, err := a.Apply(t.Context(), entry("one", "good")); err != nil {
		t.Fatal(err)
	}
	one.loses = true
	_, err := a.Apply(t.Context(), entry("one", "bad"))
	var drift *applier.DriftError
	if !errors.As(err, &drift) || !errors.Is(err, applier.ErrDrift) || len(drift.Steps) != 1 {
		t.Errorf("got %v", err)
	}
	if last, err := a.Last(); err != nil || string(last.Artifact.File("rules")) != "good" {
		t.Errorf("the record has %q, %v", last.Artifact.File("rules"), err)
	}
}

// TestMeanwhile: another process changes the kernel between looking and changing.
func TestMeanwhile(t *testing.T) {
	t.Parallel()
	cause := errors.New("in use")
	for heals, want := range map[int]error{1: nil, 2: nil, 4: nil, 5: cause} {
		a, one, _, log, _ := setUp(t)
		one.fail, one.heals = &applier.MeanwhileError{Err: cause}, heals
		plan, err := a.Apply(t.Context(), entry("one", "rules"))
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("fails %d times: %v", heals, err)
		}
		if plan == nil || len(plan.Steps()) != 1 {
			t.Errorf("fails %d times: the plan is %v", heals, plan)
		}
		if got := strings.Join(*log, ", "); (got == "one applies") != (want == nil) {
			t.Errorf("fails %d times: log: %s", heals, got)
		}
	}
	a, one, _, _, _ := setUp(t)
	one.fail, one.heals = cause, 3
	if _, err := a.Apply(t.Context(), entry("one", "rules")); !errors.Is(err, cause) || one.heals != 1 {
		t.Errorf("an error of another kind is not tried twice: %v, %d", err, one.heals)
	}
	// A plan that is another one now was made for what was there before.
	a, one, _, _, _ = setUp(t)
	one.fail, one.heals, one.moves = cause, 1, true
	if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil || one.content != "rules" {
		t.Errorf("a plan for what is no more was not made anew: %v", err)
	}
}

// TestPassing wants what the kernel answers in a moment of need to be tried again.
func TestPassing(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{syscall.EAGAIN, syscall.EINTR, syscall.ENOMEM, syscall.ENOBUFS, syscall.EMSGSIZE} {
		a, one, _, _, _ := setUp(t)
		one.fail, one.heals = fmt.Errorf("netlink: %w", errno), 2
		if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil || one.content != "rules" {
			t.Errorf("%v: %v", errno, err)
		}
		a, one, _, _, _ = setUp(t)
		one.blind = 2
		if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil || one.content != "rules" {
			t.Errorf("reading: %v", err)
		}
	}
}

func TestRollbackToNothing(t *testing.T) {
	a, one, _, _, _ := setUp(t)
	if _, _, err := a.Rollback(t.Context()); err == nil {
		t.Error("there is nothing to go back to, and no error")
	}
	if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil {
		t.Fatal(err)
	}
	if _, p, err := a.Rollback(t.Context()); err != nil || p != nil || one.content != "" {
		t.Errorf("rollback: %v, %q", err, one.content)
	}
}

// TestRollbackWithoutRecord has rules in the kernel that no record knows: they serve,
// and a rollback must not remove them.
func TestRollbackWithoutRecord(t *testing.T) {
	a, one, _, _, _ := setUp(t)
	one.content = "served"
	if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Rollback(t.Context()); !errors.Is(err, applier.ErrNothingBefore) || one.content != "rules" {
		t.Errorf("rollback: %v, %q", err, one.content)
	}
}

// TestRefused wants what was taken back to be no step of a rollback, in either
// direction, until the next apply.
func TestRefused(t *testing.T) {
	a, one, _, _, _ := setUp(t)
	for _, rules := range []string{"first", "second"} {
		if _, err := a.Apply(t.Context(), entry("one", rules)); err != nil {
			t.Fatal(err)
		}
	}
	snapshot, err := a.Snapshot(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Install(t.Context(), entry("one", "refused")); err != nil || one.content != "refused" {
		t.Fatal(one.content, err)
	}
	if err := errors.Join(a.Restore(t.Context(), snapshot), a.Refused()); err != nil || one.content != "second" {
		t.Fatal(one.content, err)
	}
	if _, _, err := a.Rollback(t.Context()); !errors.Is(err, applier.ErrTakenBack) || one.content != "second" {
		t.Errorf("rollback: %v, %q", err, one.content)
	}
	if _, err := a.Apply(t.Context(), entry("one", "second")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Rollback(t.Context()); err != nil || one.content != "first" {
		t.Errorf("rollback after the next apply: %v, %q", err, one.content)
	}
}

// TestRestore goes back to another backend that served, and to nothing.
func TestRestore(t *testing.T) {
	t.Parallel()
	a, one, two, _, _ := setUp(t)
	if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil {
		t.Fatal(err)
	}
	snapshot, err := a.Snapshot(t.Context(), "two")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Install(t.Context(), entry("two", "others")); err != nil || one.content != "" {
		t.Fatal(one.content, err)
	}
	two.fail, two.heals = syscall.EBUSY, 2
	if err := a.Restore(t.Context(), snapshot); err != nil || one.content != "rules" || two.content != "" {
		t.Errorf("%v: one has %q, two has %q", err, one.content, two.content)
	}
}

// TestFinish ends the context while a change is carried out: it comes to its end, and
// the next does not begin.
func TestFinish(t *testing.T) {
	t.Parallel()
	a, one, _, _, _ := setUp(t)
	a.Finish = true
	ctx, cancel := context.WithCancel(t.Context())
	one.applying = cancel
	if _, err := a.Apply(ctx, entry("one", "rules")); err != nil || one.content != "rules" {
		t.Errorf("%v, %q", err, one.content)
	}
	if _, err := a.Apply(ctx, entry("one", "others")); !errors.Is(err, context.Canceled) || one.content != "rules" {
		t.Errorf("%v, %q", err, one.content)
	}
	if _, err := a.Clean(ctx, "one"); !errors.Is(err, context.Canceled) || one.content != "rules" {
		t.Errorf("%v, %q", err, one.content)
	}
}

// TestDamagedRecord wants a record that was cut off or changed to be refused,
// and an apply to replace it.
func TestDamagedRecord(t *testing.T) {
	a, _, _, _, dir := setUp(t)
	if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "state", "last.artifact")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := os.WriteFile(file, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Last(); err == nil {
			t.Fatalf("%d of %d bytes are taken for a record", n, len(whole))
		}
	}
	for n := bytes.IndexByte(whole, '\n'); n < len(whole); n++ {
		other := bytes.Clone(whole)
		other[n] ^= 1
		if err := os.WriteFile(file, other, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Last(); err == nil {
			t.Fatalf("with another byte %d of %d it is taken for a record", n, len(whole))
		}
	}
	if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil {
		t.Fatal(err)
	}
	if e, err := a.Last(); err != nil || e.Backend != "one" {
		t.Errorf("after the next apply: %v", err)
	}
}

// TestFormerRecord wants a record of the format before to be read, the same rules not to be
// recorded again in the format of today, which would take the place of those before, and others to
// follow it.
func TestFormerRecord(t *testing.T) {
	a, _, _, _, dir := setUp(t)
	for _, content := range []string{"before", "rules"} {
		if _, err := a.Apply(t.Context(), entry("one", content)); err != nil {
			t.Fatal(err)
		}
	}
	former := fmt.Sprintf(`{"planec-artifact":"1","backend":"one","sha256":"%x","files":[{"name":"rules","size":5}]}`+"\nrules", sha256.Sum256([]byte("rules")))
	last := filepath.Join(dir, "state", "last.artifact")
	if err := os.WriteFile(last, []byte(former), 0o600); err != nil {
		t.Fatal(err)
	}
	if e, err := a.Last(); err != nil || string(e.Artifact.File("rules")) != "rules" {
		t.Fatalf("the last is %+v, %v", e, err)
	}
	if _, err := a.Apply(t.Context(), entry("one", "rules")); err != nil {
		t.Fatal(err)
	}
	if e, err := a.Previous(); err != nil || string(e.Artifact.File("rules")) != "before" {
		t.Errorf("after the same rules, those before are %+v, %v", e, err)
	}
	if _, err := a.Apply(t.Context(), entry("one", "after")); err != nil {
		t.Fatal(err)
	}
	if e, err := a.Previous(); err != nil || string(e.Artifact.File("rules")) != "rules" {
		t.Errorf("after other rules, those before are %+v, %v", e, err)
	}
	if err := os.WriteFile(last, []byte(strings.Replace(former, "\nr", "\nR", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if e, err := a.Last(); err == nil {
		t.Errorf("a record with another content is read as %+v", e)
	}
}

func TestUnknownBackend(t *testing.T) {
	a, _, _, _, _ := setUp(t)
	if _, err := a.Apply(t.Context(), entry("three", "rules")); err == nil || !strings.Contains(err.Error(), "three cannot be applied") {
		t.Errorf("got %v", err)
	}
}

// TestRecordFails has a disk that nothing can be written to: who asked to be told
// goes on, rules of the backend before included.
func TestRecordFails(t *testing.T) {
	a, one, two, _, dir := setUp(t)
	if _, err := a.Apply(t.Context(), entry("one", "a")); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "state")
	// A directory in the file's place: replacing it fails, for root too.
	previous := filepath.Join(state, "previous.artifact")
	if err := errors.Join(os.Remove(previous), os.Mkdir(previous, 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Apply(t.Context(), entry("two", "b")); err == nil {
		t.Error("a record that cannot be written is no error")
	}
	var told error
	a.RecordFailed = func(err error) { told = err }
	if _, err := a.Apply(t.Context(), entry("two", "b")); err != nil {
		t.Error(err)
	}
	if told == nil || one.content != "" || two.content != "b" {
		t.Errorf("told %v; one has %q, two has %q", told, one.content, two.content)
	}
}

// TestQuietly wants a plan to be executed within Quietly, with its error, and what it left to
// be read after it: what was left out meanwhile is seen.
func TestQuietly(t *testing.T) {
	a, one, _, _, _ := setUp(t)
	quiet := false
	a.Quietly = func(apply func() error) error {
		quiet = true
		defer func() { quiet = false }()
		return apply()
	}
	one.applying = func() {
		if !quiet {
			t.Error("the plan is not executed within Quietly")
		}
	}
	if _, err := a.Apply(t.Context(), entry("one", "A")); err != nil {
		t.Fatal(err)
	}
	one.loses = true
	if _, err := a.Apply(t.Context(), entry("one", "B")); !errors.Is(err, applier.ErrDrift) {
		t.Errorf("what it left was not read: %v", err)
	}
	one.fail = errors.New("refused")
	if _, err := a.Apply(t.Context(), entry("one", "C")); !errors.Is(err, one.fail) {
		t.Errorf("the error is another one: %v", err)
	}
}
