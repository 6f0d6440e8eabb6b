package nodelock

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// childVariable makes the test binary a process that holds a lock until its standard
// input ends.
const childVariable = "PLANEC_TEST_LOCK"

func TestMain(m *testing.M) {
	if what := os.Getenv(childVariable); what != "" {
		hold(what)
	}
	os.Exit(m.Run())
}

func hold(what string) {
	lock, dirs, _ := strings.Cut(what, "=")
	n, err := in(strings.Split(dirs, ":")...)
	if err == nil && lock == agent {
		_, err = n.Agent(context.Background())
	} else if err == nil {
		_, err = n.Change(context.Background(), 0, func(Holder) {})
	}
	fmt.Println(err)
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// holding starts a process that holds a lock.
func holding(t *testing.T, lock string, dirs ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+lock+"="+strings.Join(dirs, ":"))
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "<nil>\n" {
		t.Fatalf("the child: %q, %v", line, err)
	}
	return cmd
}

func on(t *testing.T, dirs ...string) *Node {
	t.Helper()
	n, err := in(dirs...)
	if err != nil {
		t.Fatal(err)
	}
	n.patience = 0
	return n
}

// TestTurns has another process hold the lock: it is named, and the lock comes when
// the process is killed.
func TestTurns(t *testing.T) {
	run := t.TempDir()
	child := holding(t, changes, run, t.TempDir())
	n := on(t, run, t.TempDir())
	var held *HeldError
	if _, err := n.Change(t.Context(), 0, func(Holder) {}); !errors.As(err, &held) || held.Holder.PID != child.Process.Pid {
		t.Fatalf("got %v, want the PID %d", err, child.Process.Pid)
	}
	told := 0
	l, err := n.Change(t.Context(), time.Minute, func(h Holder) {
		told++
		_ = child.Process.Kill()
	})
	if err != nil || told != 1 || !l.Held() {
		t.Fatalf("after the holder was killed: %v, told %d times", err, told)
	}
	l.Release()
}

// TestContext ends the waiting.
func TestContext(t *testing.T) {
	dir := t.TempDir()
	holding(t, changes, dir)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := on(t, dir).Change(ctx, time.Hour, func(Holder) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestAgent wants one agent, whichever of the directories two processes share.
func TestAgent(t *testing.T) {
	run, state := t.TempDir(), t.TempDir()
	if err := on(t, run, state).RunningAgent(); err != nil {
		t.Fatal(err)
	}
	child := holding(t, agent, run, state)
	for _, n := range []*Node{on(t, run, t.TempDir()), on(t, "/proc/nowhere", state), on(t, run, state)} {
		for _, try := range []func() error{n.RunningAgent, func() error { _, err := n.Agent(t.Context()); return err }} {
			var held *HeldError
			if err := try(); !errors.As(err, &held) || held.Holder.PID != child.Process.Pid {
				t.Errorf("got %v, want the PID %d", err, child.Process.Pid)
			}
		}
	}
	l, err := on(t, run, state).Change(t.Context(), 0, func(Holder) {})
	if err != nil {
		t.Fatalf("changes beside an agent are another lock: %v", err)
	}
	l.Release()
	_ = child.Process.Kill()
	_ = child.Wait()
	if err := on(t, run, state).RunningAgent(); err != nil {
		t.Errorf("an agent that was killed: %v", err)
	}
	l, err = on(t, run, state).Agent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.Release()
	for _, dir := range []string{run, state} {
		if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
			t.Errorf("left in %s: %v, %v", dir, files, err)
		}
	}
}

// TestNowhere has no directory for locks: that is said, and keeps nothing up.
func TestNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := on(t, "/proc/nowhere", file).Change(t.Context(), 0, func(Holder) {})
	if err != nil || l.Held() || len(l.Notes()) != 2 {
		t.Fatalf("got %v, notes %v", err, l.Notes())
	}
	l.Release()
	l, err = on(t, "/proc/nowhere", t.TempDir()).Change(t.Context(), 0, func(Holder) {})
	if err != nil || !l.Held() || len(l.Notes()) != 1 {
		t.Fatalf("got %v, notes %v", err, l.Notes())
	}
	l.Release()
}

// TestPipes has pipes in the places of the locks: looking at them does not wait.
func TestPipes(t *testing.T) {
	n := on(t, t.TempDir())
	for _, lock := range []string{agent, changes} {
		if err := syscall.Mkfifo(n.path(n.dirs[0], lock), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(n.RunningAgent(), n.Changing()); err != nil {
		t.Error(err)
	}
}

// TestManyTurns lets many take turns, and counts those at work.
func TestManyTurns(t *testing.T) {
	dir := t.TempDir()
	var atWork, most, turns atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 10 {
				l, err := on(t, dir).Change(t.Context(), 5*time.Minute, func(Holder) {})
				if err != nil {
					t.Error(err)
					return
				}
				if n := atWork.Add(1); n > 1 {
					most.Store(n)
				}
				turns.Add(1)
				atWork.Add(-1)
				l.Release()
			}
		})
	}
	wg.Wait()
	if most.Load() > 1 || turns.Load() != 200 {
		t.Errorf("%d turns, %d at a time", turns.Load(), most.Load())
	}
}

// TestNotes reads what a holder wrote, and what it did not.
func TestNotes(t *testing.T) {
	h := readNote(note(12, 34, []string{"planec", "apply\n--all\x1b"}), 34)
	if want := (Holder{PID: 12, Command: "planec apply --all "}); h != want {
		t.Errorf("got %v, want %v", h, want)
	}
	if h := readNote(note(12, 34, []string{"planec"}), 35); !h.Foreign {
		t.Error("a PID of another namespace is taken for one of ours")
	}
	for _, text := range []string{"", "12", "x y z", "-1 2 z", "\x00\xff", "1 2"} {
		if h := readNote([]byte(text), 34); h != (Holder{}) {
			t.Errorf("%q: %v", text, h)
		}
	}
}
