package applier_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/testing/fakeplane"
)

// odd is a dataplane each of whose methods can be given.
type odd struct {
	fakeplane.Nothing
	plan     func() ([]string, error)
	apply    func(context.Context) error
	clean    func(context.Context) ([]string, error)
	served   func() (backends.Served, error)
	snapshot func() (func(context.Context) error, error)
	programs []backends.ServedProgram
	unknown  error
}

func (o *odd) Plan(context.Context, backends.Artifact) (applier.Plan, error) {
	if o.plan == nil {
		return fakeplane.Plan{}, nil
	}
	steps, err := o.plan()
	if err != nil {
		return nil, err
	}
	return fakeplane.Plan{List: steps, Do: o.apply}, nil
}
func (o *odd) Clean(ctx context.Context) ([]string, error)     { return o.clean(ctx) }
func (o *odd) Served(context.Context) (backends.Served, error) { return o.served() }
func (o *odd) Snapshot(context.Context) (func(context.Context) error, error) {
	return o.snapshot()
}

func (o *odd) Programs(context.Context) ([]backends.ServedProgram, error) {
	return o.programs, o.unknown
}

// bare is a dataplane that can do nothing more.
type bare struct{ applier.Dataplane }

var errKernel = errors.New("the kernel says no")

func of(t *testing.T, planes map[string]applier.Dataplane) (*applier.Applier, string) {
	t.Helper()
	dir := t.TempDir()
	return applier.New(planes, applier.NewRecord(dir)), dir
}

func second(_ applier.Plan, err error) error { return err }

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestTries counts the plans that an apply makes of what is refused, for a moment and
// for good, and how long it waits between two.
func TestTries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		err   error
		hasty bool
		want  []time.Duration
	}{
		// What is refused is tried once more, since a tool may fail for a moment.
		{"refused for good", errKernel, false, []time.Duration{0, 100}},
		{"refused, one of many", errKernel, true, []time.Duration{0}},
		{"for a moment", syscall.EAGAIN, false, []time.Duration{0, 100, 300, 700, 1500}},
		{"for a moment, one of many", syscall.EAGAIN, true, []time.Duration{0, 10}},
		{"meanwhile", &applier.MeanwhileError{Err: errKernel}, true, []time.Duration{0, 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var tried []time.Duration
				o := &odd{
					plan:  func() ([]string, error) { return []string{"a step"}, nil },
					apply: func(context.Context) error { tried = append(tried, time.Since(start)); return c.err },
				}
				a := applier.New(map[string]applier.Dataplane{"one": o}, applier.NewRecord(dir))
				ctx := t.Context()
				if c.hasty {
					ctx = applier.Hasty(ctx)
				}
				p, err := a.Apply(ctx, entry("one", "x"))
				if !errors.Is(err, c.err) || len(p.Steps()) != 1 {
					t.Errorf("error %v, plan %v", err, p)
				}
				want := slices.Clone(c.want)
				for i := range want {
					want[i] *= time.Millisecond
				}
				if !slices.Equal(tried, want) {
					t.Errorf("tried at %v, want %v", tried, want)
				}
			})
		})
	}
}

// TestOtherPlan wants a plan that differs from the one that was refused to be tried, and
// the first plan to be returned.
func TestOtherPlan(t *testing.T) {
	t.Parallel()
	n := 0
	o := &odd{
		plan:  func() ([]string, error) { n++; return []string{fmt.Sprint("step ", n)}, nil },
		apply: func(context.Context) error { return errKernel },
	}
	a, _ := of(t, map[string]applier.Dataplane{"one": o})
	p, err := a.Apply(t.Context(), entry("one", "x"))
	if n != 5 || !errors.Is(err, errKernel) || p.Steps()[0] != "step 1" {
		t.Errorf("%d plans, the first %v: %v", n, p, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n = 0
	o.apply = func(context.Context) error { cancel(); return syscall.EAGAIN }
	if _, err := a.Apply(ctx, entry("one", "x")); n != 1 || err == nil {
		t.Errorf("after its context had ended: %d plans, %v", n, err)
	}
	// A context that ends while it waits ends the waiting.
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	n = 0
	o.apply = func(context.Context) error { return syscall.EAGAIN }
	start := time.Now()
	if _, err := a.Apply(ctx, entry("one", "x")); n != 1 || !errors.Is(err, syscall.EAGAIN) || time.Since(start) > 20*time.Second {
		t.Errorf("%d plans: %v", n, err)
	}
}

// TestUnreadable wants an error of reading to end an apply, unless it is for a moment.
func TestUnreadable(t *testing.T) {
	n := 0
	o := &odd{plan: func() ([]string, error) { n++; return nil, errKernel }}
	a, dir := of(t, map[string]applier.Dataplane{"one": o})
	if p, err := a.Apply(t.Context(), entry("one", "x")); n != 1 || !errors.Is(err, errKernel) || p != nil || !strings.Contains(text(err), "backend one: ") {
		t.Errorf("%d looks: %v", n, err)
	}
	if _, err := a.Install(t.Context(), entry("one", "x")); !errors.Is(err, errKernel) {
		t.Errorf("install: %v", err)
	}
	if err := a.Verify(t.Context(), entry("one", "x")); !errors.Is(err, errKernel) {
		t.Errorf("verify: %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("recorded is %v, %v", files, err)
	}
}

// TestWords reads what errors say.
func TestWords(t *testing.T) {
	d := &applier.DriftError{Backend: "one", Steps: []string{"a", "b", "c", "d"}}
	if got, want := d.Error(), "backend one: the kernel is not what was applied: 4 steps would put it right; a; b; c"; got != want || !errors.Is(d, applier.ErrDrift) {
		t.Errorf("%q, want %q", got, want)
	}
	m := &applier.MeanwhileError{Err: errKernel}
	if m.Error() != errKernel.Error() || !errors.Is(m, errKernel) {
		t.Errorf("%q", m.Error())
	}
}

// TestAsked wants the optional parts of dataplanes to be asked for what they can say.
func TestAsked(t *testing.T) {
	o := &odd{programs: []backends.ServedProgram{{Name: "connect4"}}, served: func() (backends.Served, error) { return backends.Served{Pods: []backends.ServedPod{{}}}, nil }}
	a, _ := of(t, map[string]applier.Dataplane{"two": bare{o}, "one": o, "three": bare{o}})
	if got := a.Backends(); !slices.Equal(got, []string{"one", "three", "two"}) {
		t.Errorf("backends %q", got)
	}
	if got, err := a.Programs(t.Context(), "one"); err != nil || len(got) != 1 || got[0].Name != "connect4" {
		t.Errorf("programs %v, %v", got, err)
	}
	for _, name := range []string{"two", "nine"} {
		if got, err := a.Programs(t.Context(), name); err != nil || got != nil {
			t.Errorf("programs of %s: %v, %v", name, got, err)
		}
	}
	o.unknown = errKernel
	if _, err := a.Programs(t.Context(), "one"); !errors.Is(err, errKernel) {
		t.Errorf("programs that cannot be read: %v", err)
	}
	if a.ChangesPolicies("one") || a.Fingerprint("one") != nil || a.Fingerprint("nine") != nil {
		t.Error("it can do what it cannot")
	}
	if _, err := a.ChangePolicy(t.Context(), entry("one", "x"), entry("one", "y")); !errors.Is(err, applier.ErrWhole) {
		t.Errorf("changing a policy: %v", err)
	}
	for _, err := range []error{a.Hold(entry("nine", "x")), second(a.Change(t.Context(), entry("nine", "x"), entry("nine", "y"))), second(a.Replace(t.Context(), entry("nine", "x")))} {
		if !strings.Contains(text(err), "nine cannot be applied") {
			t.Errorf("holding none: %v", err)
		}
	}
	if s, err := a.Served(t.Context(), "one"); err != nil || len(s.Pods) != 1 {
		t.Errorf("served: %v %v", s, err)
	}
	if _, err := a.Served(t.Context(), "nine"); !strings.Contains(text(err), "nine cannot be applied") {
		t.Errorf("served by none: %v", err)
	}
	o.served = func() (backends.Served, error) { return backends.Served{}, errKernel }
	if _, err := a.Served(t.Context(), "one"); !errors.Is(err, errKernel) || !strings.Contains(text(err), "backend one") {
		t.Errorf("served: %v", err)
	}
}

// TestClean wants all backends to be cleaned, what was removed to be told, and an error
// of one to keep no other from it.
func TestClean(t *testing.T) {
	var ctxErr error
	one := &odd{clean: func(context.Context) ([]string, error) { return []string{"a"}, nil }}
	two := &odd{clean: func(context.Context) ([]string, error) { return []string{"b"}, errKernel }}
	six := &odd{clean: func(ctx context.Context) ([]string, error) { ctxErr = ctx.Err(); return []string{"c"}, nil }}
	a, dir := of(t, map[string]applier.Dataplane{"one": one, "two": two, "six": six})
	if err := a.Remember(entry("one", "x"), nil); err != nil {
		t.Fatal(err)
	}
	removed, err := a.CleanAll(t.Context())
	if !slices.Equal(removed, []string{"a", "c", "b"}) || !errors.Is(err, errKernel) || !strings.Contains(text(err), "backend two: cleaning") {
		t.Errorf("removed %q: %v", removed, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("the record is left: %v, %v", files, err)
	}
	if removed, err := a.Clean(t.Context(), "two"); !slices.Equal(removed, []string{"b"}) || !errors.Is(err, errKernel) {
		t.Errorf("removed %q: %v", removed, err)
	}
	if removed, err := a.Clean(t.Context(), "one"); !slices.Equal(removed, []string{"a"}) || err != nil {
		t.Errorf("removed %q: %v", removed, err)
	}
	if _, err := a.Clean(t.Context(), "nine"); !strings.Contains(text(err), "nine cannot be applied") {
		t.Errorf("cleaning none: %v", err)
	}
	// What has begun comes to its end.
	ctx, cancel := context.WithCancel(t.Context())
	six.clean = func(ctx context.Context) ([]string, error) { cancel(); ctxErr = ctx.Err(); return nil, nil }
	if _, err := a.Clean(ctx, "six"); err != nil || ctxErr == nil {
		t.Errorf("without Finish its context does not end: %v %v", err, ctxErr)
	}
	a.Finish = true
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	if _, err := a.Clean(ctx, "six"); err != nil || ctxErr != nil {
		t.Errorf("with Finish its context ends: %v %v", err, ctxErr)
	}
}

// TestSnapshots reads what there is to go back to, of all that an apply may change, and
// goes back in an order that leaves no gap.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	var log []string
	var refuses error
	plane := func(name string, there bool) *odd {
		restore := func(context.Context) error { log = append(log, "restore "+name); return refuses }
		if !there {
			restore = nil
		}
		return &odd{
			snapshot: func() (func(context.Context) error, error) { log = append(log, "look at "+name); return restore, nil },
			clean:    func(context.Context) ([]string, error) { log = append(log, "clean "+name); return nil, nil },
		}
	}
	nft, xt, vs := plane("nftables", false), plane("iptables", true), plane("ipvs", false)
	a, _ := of(t, map[string]applier.Dataplane{"nftables": nft, "iptables": xt, "ipvs": vs})
	take := func(backend string) *applier.Snapshot {
		t.Helper()
		log = nil
		s, err := a.Snapshot(t.Context(), backend)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := func(lines ...string) {
		t.Helper()
		if !slices.Equal(log, lines) {
			t.Errorf("did %q, want %q", log, lines)
		}
		log = nil
	}
	take("nftables")
	want("look at nftables", "look at iptables", "look at ipvs")
	take("iptables")
	want("look at iptables", "look at ipvs", "look at nftables")
	if err := a.Remember(entry("ipvs", "x"), nil); err != nil {
		t.Fatal(err)
	}
	s := take("nftables")
	want("look at nftables", "look at iptables", "look at ipvs")
	if err := a.Restore(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	want("restore iptables", "clean nftables", "clean ipvs")
	take("ipvs")
	want("look at ipvs", "look at iptables", "look at nftables")

	refuses = errKernel
	err := a.Restore(t.Context(), s)
	if !errors.Is(err, errKernel) || !strings.Contains(text(err), "backend iptables: going back") || len(log) != 7 {
		t.Errorf("%v: %q", err, log)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	log = nil
	if err := a.Restore(ctx, s); !errors.Is(err, errKernel) || len(log) != 3 {
		t.Errorf("with a context that has ended: %v: %q", err, log)
	}
	tried := 0
	nft.snapshot = func() (func(context.Context) error, error) {
		if tried++; tried < 3 {
			return nil, syscall.EBUSY
		}
		return nil, nil
	}
	if _, err := a.Snapshot(t.Context(), "nftables"); err != nil || tried != 3 {
		t.Errorf("a look that fails for a moment: %v after %d", err, tried)
	}
	tried = -1 << 30
	if _, err := a.Snapshot(t.Context(), "nftables"); !errors.Is(err, syscall.EBUSY) || tried != -1<<30+5 {
		t.Errorf("a look that keeps failing: %v after %d", err, tried+1<<30)
	}
	tried = 0
	nft.snapshot = func() (func(context.Context) error, error) { tried++; return nil, errKernel }
	if _, err := a.Snapshot(t.Context(), "nftables"); !errors.Is(err, errKernel) || !strings.Contains(text(err), "backend nftables: reading what there is to go back to") || tried != 1 {
		t.Errorf("a look that fails: %v after %d", err, tried)
	}
	if _, err := a.Snapshot(t.Context(), "nine"); err == nil {
		t.Error("a snapshot of no backend")
	}
}

// put makes an artifact the last one.
func put(r *applier.Record, e applier.Entry) error { return applier.New(nil, r).Remember(e, nil) }

// TestRecords puts artifacts of several files into records, and reads what is odd.
func TestRecords(t *testing.T) {
	dir := t.TempDir()
	r := applier.NewRecord(filepath.Join(dir, "below", "state"))
	if _, err := r.Last(); !errors.Is(err, applier.ErrNoRecord) {
		t.Errorf("no record: %v", err)
	}
	many := applier.Entry{Backend: "one", Artifact: backends.Artifact{Files: []backends.File{{Name: "a", Data: []byte("1")}, {Name: "b"}, {Name: "c", Data: []byte("345")}}}}
	if err := errors.Join(put(r, entry("one", "before")), put(r, many), put(r, many)); err != nil {
		t.Fatal(err)
	}
	got, err := r.Last()
	if err != nil || got.Backend != "one" || len(got.Artifact.Files) != 3 || string(got.Artifact.File("a")) != "1" || len(got.Artifact.File("b")) != 0 || string(got.Artifact.File("c")) != "345" {
		t.Errorf("the last is %+v, %v", got, err)
	}
	if before, err := r.Previous(); err != nil || string(before.Artifact.File("rules")) != "before" {
		t.Errorf("the one before is %+v, %v", before, err)
	}
	state := filepath.Join(dir, "below", "state")
	if files, err := os.ReadDir(state); err != nil || len(files) != 2 {
		t.Errorf("files %v, %v", files, err)
	}
	last := filepath.Join(state, "last.artifact")
	for _, text := range []string{
		"", "x\n", "{}\n", `{"planec-artifact":"3","backend":"one","files":[]}` + "\n",
		`{"planec-artifact":"2","backend":"one","files":[{"name":"a","size":1,"sha256":"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"}]}` + "\n",
		`{"planec-artifact":"2","backend":"one","files":[{"name":"a","size":1,"sha256":"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"}]}` + "\n2",
		`{"planec-artifact":"2","backend":"one","files":[{"name":"a","size":1,"sha256":"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"}]}` + "\n12",
		`{"planec-artifact":"1","backend":"one","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","files":[{"name":"a","size":1}]}` + "\n",
		`{"planec-artifact":"1","backend":"one","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","files":[{"name":"a","size":-1}]}` + "\n",
	} {
		if err := os.WriteFile(last, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if e, err := r.Last(); err == nil || !strings.Contains(err.Error(), last) {
			t.Errorf("%q is a record: %+v, %v", text, e, err)
		}
		// What is no record is nothing to go back to.
		if err := put(r, entry("one", "after")); err != nil {
			t.Error(err)
		}
		if before, err := r.Previous(); !strings.Contains(text, "sha256") && (err != nil || string(before.Artifact.File("rules")) != "before") {
			t.Errorf("after %q the one before is %+v, %v", text, before, err)
		}
	}
	if err := errors.Join(r.Forget(), r.Forget()); err != nil {
		t.Error(err)
	}
	if _, err := r.Previous(); !errors.Is(err, applier.ErrNoRecord) {
		t.Errorf("forgotten: %v", err)
	}
}

// TestSameRules records the same rules with other names, without any, or in another order of files:
// what was before them stays, and names that are known do too.
func TestSameRules(t *testing.T) {
	r := applier.NewRecord(t.TempDir())
	b, a := backends.NewFile("b", []byte("2")), backends.NewFile("a", []byte("1"))
	of := func(name string, files ...backends.File) applier.Entry {
		e := applier.Entry{Backend: "one", Artifact: backends.Artifact{Files: files}}
		if name != "" {
			e.Names = map[string]string{"10.96.0.1:80/tcp": name}
		}
		return e
	}
	if err := put(r, entry("one", "before")); err != nil {
		t.Fatal(err)
	}
	for n, c := range []struct {
		put  applier.Entry
		want string
	}{{of("x", b, a), "x"}, {of("x", b, a), "x"}, {of("y", b, a), "y"}, {of("", b, a), "y"}, {of("", a, b), "y"}, {of("z", a, b), "z"}} {
		if err := put(r, c.put); err != nil {
			t.Fatal(err)
		}
		if last, err := r.Last(); err != nil || last.Names["10.96.0.1:80/tcp"] != c.want {
			t.Errorf("record %d: the last is %+v, %v", n, last, err)
		}
		if before, err := r.Previous(); err != nil || string(before.Artifact.File("rules")) != "before" {
			t.Errorf("record %d: the one before is %+v, %v", n, before, err)
		}
	}
}

// TestLeftByKilled has files that processes have left which were killed while they wrote a record: the
// next one removes them, and nothing else.
func TestLeftByKilled(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"next.artifact.1", "next.artifact.22", "previous.artifact.3", "refused.4", "last.artifact.bak", "netns-1.change.lock"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half of"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(applier.NewRecord(dir), entry("one", "x")); err != nil {
		t.Fatal(err)
	}
	var names []string
	files, err := os.ReadDir(dir)
	for _, f := range files {
		names = append(names, f.Name())
	}
	if want := []string{"last.artifact", "last.artifact.bak", "netns-1.change.lock"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("the directory has %v, %v; want %v", names, err, want)
	}
}

// TestRecordErrors has a file where the directory should be, and a directory where a
// file should be.
func TestRecordErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a := applier.New(nil, applier.NewRecord(file))
	if err := a.Remember(entry("one", "x"), nil); !strings.Contains(text(err), "making the directory of records") {
		t.Errorf("remembering: %v", err)
	}
	if err := a.Refused(); !strings.Contains(text(err), "making the directory of records") {
		t.Errorf("refusing: %v", err)
	}
	if a.Applied() != nil {
		t.Error("a time without a record")
	}
	dir := t.TempDir()
	r := applier.NewRecord(dir)
	if err := os.MkdirAll(filepath.Join(dir, "last.artifact", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Last(); err == nil || errors.Is(err, applier.ErrNoRecord) {
		t.Errorf("a directory is a record: %v", err)
	}
	if err := put(r, entry("one", "x")); !strings.Contains(text(err), "writing the record") {
		t.Errorf("writing over a directory: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "last.artifact.*")); len(left) > 0 {
		t.Errorf("left is %v", left)
	}
	if err := r.Forget(); !strings.Contains(text(err), "forgetting what was applied") {
		t.Errorf("forgetting a directory: %v", err)
	}
	good := t.TempDir()
	b := applier.New(nil, applier.NewRecord(good))
	if err := b.Remember(entry("one", "x"), nil); err != nil {
		t.Fatal(err)
	}
	at := b.Applied()
	if at == nil || time.Since(*at) > time.Hour || at.Location() != time.UTC {
		t.Errorf("recorded at %v", at)
	}
	if info, err := os.Stat(filepath.Join(good, "last.artifact")); err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Errorf("the record's mode: %v %v", info.Mode(), err)
	}
}

// TestOpenFiles puts and reads many records: no descriptor is left open.
func TestOpenFiles(t *testing.T) {
	r := applier.NewRecord(t.TempDir())
	count := func() int {
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(open)
	}
	a := applier.New(map[string]applier.Dataplane{"one": &odd{snapshot: func() (func(context.Context) error, error) { return nil, nil }}}, r)
	before := count()
	for i := range 50 {
		if err := errors.Join(put(r, entry("one", fmt.Sprint(i))), put(r, entry("one", fmt.Sprint(i)))); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Snapshot(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
	}
	if after := count(); after > before+20 {
		t.Errorf("%d descriptors more", after-before)
	}
}

// TestRollbackErrors wants a rollback that cannot be done to say why, and to change
// nothing.
func TestRollbackErrors(t *testing.T) {
	t.Parallel()
	a, one, _, _, dir := setUp(t)
	for _, rules := range []string{"first", "second"} {
		if _, err := a.Apply(t.Context(), entry("one", rules)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "state", "previous.artifact"), []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Rollback(t.Context()); err == nil || one.content != "second" {
		t.Errorf("over a damaged record: %v, %q", err, one.content)
	}
	b, one, _, _, _ := setUp(t)
	if _, err := b.Apply(t.Context(), entry("one", "only")); err != nil {
		t.Fatal(err)
	}
	one.fail = errKernel
	if _, _, err := b.Rollback(t.Context()); !errors.Is(err, errKernel) {
		t.Errorf("to nothing, which fails: %v", err)
	}
}

// TestSwitchErrors has the rules of the backend before stay, since they cannot be
// removed.
func TestSwitchErrors(t *testing.T) {
	t.Parallel()
	for _, install := range []bool{false, true} {
		a, one, two, _, _ := setUp(t)
		if _, err := a.Apply(t.Context(), entry("one", "a")); err != nil {
			t.Fatal(err)
		}
		one.fail = errKernel
		apply := a.Apply
		if install {
			apply = a.Install
		}
		p, err := apply(t.Context(), entry("two", "b"))
		if !errors.Is(err, errKernel) || !strings.Contains(text(err), "the rules of two are in; removing those of one") || p == nil || two.content != "b" {
			t.Errorf("install %v: %v, plan %v", install, err, p)
		}
	}
}
