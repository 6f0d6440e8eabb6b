package filesource

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/ir/diag"
)

// follower is a Source that runs, and what it said.
type follower struct {
	t     *testing.T
	dir   string
	inbox *inbox.Inbox

	mu      sync.Mutex
	reports []diag.List
	// services are those of the inbox, by name, with their ClusterIP.
	services map[string]string
	// rules are the NetworkPolicies of the inbox, by name, with how many rules of
	// ingress they have.
	rules []string
}

func follow(t *testing.T, dir string, change func(*Source)) *follower {
	t.Helper()
	f := &follower{t: t, dir: dir, inbox: inbox.New(), services: make(map[string]string)}
	s := &Source{Dir: dir, Log: slog.New(slog.DiscardHandler), Report: func(all diag.List) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.reports = append(f.reports, slices.Clone(all))
	}}
	if change != nil {
		change(s)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(t.Context(), f.inbox); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { <-done })
	return f
}

// serves takes what came and says which Services there are; complete is whether
// the first reading is done.
func (f *follower) serves() (all string, complete bool) {
	batch, complete := f.inbox.Take()
	for _, u := range batch.Update.Services {
		if u.Service.Object == nil {
			delete(f.services, u.Name.Name)
		} else {
			f.services[u.Name.Name] = u.Service.Object.Spec.ClusterIP
		}
	}
	if others := batch.Update.Others; others != nil {
		f.rules = nil
		for _, p := range others.NetworkPolicies {
			f.rules = append(f.rules, fmt.Sprintf("%s=%d", p.Object.Name, len(p.Object.Spec.Ingress)))
		}
	}
	var out []string
	for name, ip := range f.services {
		out = append(out, name+"="+ip)
	}
	slices.Sort(out)
	return strings.Join(out, " "), complete
}

// policies are the NetworkPolicies that serves saw last.
func (f *follower) policies() string { return strings.Join(f.rules, " ") }

// said is the last report.
func (f *follower) said() diag.List {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.reports) == 0 {
		return nil
	}
	return f.reports[len(f.reports)-1]
}

func (f *follower) wait(what string, so func() bool) {
	f.t.Helper()
	for range 500 {
		if so() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	f.t.Fatalf("it never came about: %s; said was %v", what, f.said())
}

func (f *follower) waitServes(want string) {
	f.t.Helper()
	f.wait("it serves "+want, func() bool { all, complete := f.serves(); return complete && all == want })
}

// waitsFor wants the first reading to wait and to say for what.
func (f *follower) waitsFor(code diag.Code, path string) {
	f.t.Helper()
	f.wait(string(code)+" is said", func() bool { return has(f.said(), code, path) })
	time.Sleep(300 * time.Millisecond)
	if all, complete := f.serves(); complete {
		f.t.Fatalf("it gave out %q without %s", all, path)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.reports) != 1 {
		f.t.Errorf("%d reports while nothing changed: %v", len(f.reports), f.reports)
	}
}

func has(all diag.List, code diag.Code, path string) bool {
	return slices.ContainsFunc(all, func(d diag.Diagnostic) bool { return d.Code == code && d.Origin.File == path })
}

func serviceText(name, ip string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: shop}\nspec: {clusterIP: %s, ports: [{port: 80}]}\n", name, ip)
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	at := filepath.Join(dir, name)
	must(t, os.WriteFile(at+".tmp", []byte(text), 0o600))
	must(t, os.Rename(at+".tmp", at))
	return at
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestStartWaits starts over sources that cannot be read: nothing is given out
// before they could be, and that is said once.
func TestStartWaits(t *testing.T) {
	t.Run("a file that a process is writing to", func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, "a.yaml", serviceText("a", "10.96.0.1"))
		b := write(t, dir, "b.yaml", serviceText("b", "10.96.0.2"))
		w, err := os.OpenFile(b, os.O_WRONLY|os.O_APPEND, 0)
		must(t, err)
		f := follow(t, dir, nil)
		f.waitsFor(diag.OpenFile, b)
		must(t, w.Close())
		f.waitServes("a=10.96.0.1 b=10.96.0.2")
		if said := f.said(); len(said) != 0 {
			t.Errorf("after that: %v", said)
		}
	})
	t.Run("a directory that is away", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "later")
		f := follow(t, dir, nil)
		f.waitsFor(diag.UnreadFile, dir)
		must(t, os.Mkdir(dir, 0o700))
		write(t, dir, "a.yaml", serviceText("a", "10.96.0.1"))
		f.wait("it is read", func() bool { all, _ := f.serves(); return all == "a=10.96.0.1" })
	})
}

// TestOddEntries has everything in the directory that is no manifest and looks
// like one: each is named once, and the rest is read and followed.
func TestOddEntries(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", serviceText("a", "10.96.0.1"))
	odd := func(name string, err error) string { must(t, err); return filepath.Join(dir, name) }
	at := func(name string) string { return filepath.Join(dir, name) }
	names := []string{
		odd(".#a.yaml", os.Symlink("user@host.1:2", at(".#a.yaml"))),
		odd("self.yaml", os.Symlink("self.yaml", at("self.yaml"))),
		odd("through.yaml", os.Symlink("a.yaml/x", at("through.yaml"))),
		odd("dir.yaml", os.Mkdir(at("dir.yaml"), 0o700)),
		odd("todir.yaml", os.Symlink("dir.yaml", at("todir.yaml"))),
		odd("pipe.yaml", unix.Mkfifo(at("pipe.yaml"), 0o600)),
		odd("null.yaml", os.Symlink(os.DevNull, at("null.yaml"))),
	}
	f := follow(t, dir, nil)
	f.waitServes("a=10.96.0.1")
	for _, name := range names {
		if !has(f.said(), diag.SkippedFile, name) {
			t.Errorf("nothing is said of %s: %v", name, f.said())
		}
	}
	write(t, dir, "a.yaml", serviceText("a", "10.96.0.7"))
	f.waitServes("a=10.96.0.7")
	if f.mu.Lock(); len(f.reports) != 1 {
		t.Errorf("%d reports: %v", len(f.reports), f.reports)
	}
	f.mu.Unlock()
}

// TestKept takes files away from under the agent in other ways than by removing
// them: what they said stays, and that is said.
func TestKept(t *testing.T) {
	dir, away := t.TempDir(), t.TempDir()
	write(t, away, "a.yaml", serviceText("a", "10.96.0.1"))
	a, b := filepath.Join(dir, "a.yaml"), write(t, dir, "b.yaml", serviceText("b", "10.96.0.2"))
	must(t, os.Symlink(filepath.Join(away, "a.yaml"), a))
	f := follow(t, dir, nil)
	f.waitServes("a=10.96.0.1 b=10.96.0.2")
	must(t, os.Remove(filepath.Join(away, "a.yaml")))
	must(t, os.Remove(b))
	must(t, unix.Mkfifo(b, 0o600))
	f.wait("both are named", func() bool { return has(f.said(), diag.SkippedFile, a) && has(f.said(), diag.SkippedFile, b) })
	if all, _ := f.serves(); all != "a=10.96.0.1 b=10.96.0.2" {
		t.Errorf("it serves %q", all)
	}
	must(t, os.Rename(dir, dir+".away"))
	t.Cleanup(func() { os.RemoveAll(dir + ".away") })
	f.wait("the directory is missed", func() bool { f.serves(); return has(f.said(), diag.UnreadFile, dir) })
	if all, _ := f.serves(); all != "a=10.96.0.1 b=10.96.0.2" {
		t.Errorf("without the directory it serves %q", all)
	}
}

// TestDuplicates wants the object that the compiler would keep, and its words.
func TestDuplicates(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir, "a.yaml", serviceText("web", "10.96.0.90"))
	b := write(t, dir, "b.yaml", serviceText("web", "10.96.0.10"))
	f := follow(t, dir, nil)
	f.waitServes("web=10.96.0.10")
	f.wait("it is said", func() bool { return has(f.said(), diag.DuplicateObject, a) })
	must(t, os.Remove(b))
	f.waitServes("web=10.96.0.90")
	f.wait("it is said no more", func() bool { return len(f.said()) == 0 })
}

// TestWithoutNotices wants changes to be found where the kernel has no watch to
// give.
func TestWithoutNotices(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", serviceText("a", "10.96.0.1"))
	f := follow(t, dir, func(s *Source) {
		s.watcher = func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") }
	})
	f.waitServes("a=10.96.0.1")
	write(t, dir, "a.yaml", serviceText("a", "10.96.0.2"))
	f.waitServes("a=10.96.0.2")
}
