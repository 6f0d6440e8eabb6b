package cli_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/apply/nodelock"
	"github.com/planec/planec/internal/testing/testkit"
)

var (
	guardKills = flag.Int("guard-kills", 6, "how often an apply that waits for a confirmation is killed, for each backend")
	goldens    = flag.String("golden-cases", "../../golden/cases", "where the artifacts are that are applied")
)

// kernel is a node's, and planec's commands for it.
type kernel struct {
	t       testing.TB
	rig     *testkit.Rig
	backend string
	plane   applier.Dataplane
	state   string
	// bpf is a BPF file system for the commands, and cgroup one for their programs, where
	// the backend needs them.
	bpf, cgroup string
	// work is a directory for the test's own files.
	work string
}

// kernels are those of all backends that this machine has.
func kernels() map[string]func(t testing.TB) *kernel {
	return map[string]func(t testing.TB) *kernel{
		"nftables":        func(t testing.TB) *kernel { return newKernel(t, "nftables", "") },
		"iptables-legacy": func(t testing.TB) *kernel { return newKernel(t, "iptables", "legacy") },
		"iptables-nft":    func(t testing.TB) *kernel { return newKernel(t, "iptables", "nft") },
		"ebpf":            func(t testing.TB) *kernel { return newKernel(t, "ebpf", "") },
	}
}

func newKernel(t testing.TB, backend, variant string) *kernel {
	t.Helper()
	k := &kernel{t: t, backend: backend, state: filepath.Join(t.TempDir(), "state"), work: t.TempDir()}
	switch backend {
	case "nftables":
		testkit.Require(t)
		k.plane = dataplane.All()["nftables"]
	case "iptables":
		testkit.Require(t, "ipset", "iptables-"+variant, "iptables-"+variant+"-restore", "ip6tables-"+variant+"-restore")
		k.plane = dataplane.IPTables(variant)
	case "ipvs":
		testkit.Require(t, "ipset", "iptables-"+variant, "iptables-"+variant+"-restore", "ip6tables-"+variant+"-restore")
		k.plane = dataplane.IPVS(variant)
	case "ebpf":
		testkit.Require(t, "unshare", "mount", "umount")
		k.bpf = t.TempDir()
		if out, err := exec.Command("mount", "-t", "bpf", "bpf", k.bpf).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v: %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("umount", k.bpf).Run() }) // it is lost with the machine at last
		k.cgroup = testkit.Cgroup(t, live.CgroupRoot())
		k.plane = dataplane.EBPF(filepath.Join(k.bpf, "planec"), k.cgroup)
	}
	k.rig = testkit.New(t, testkit.Spec{})
	if variant != "" { // which decides until there are rules
		if _, err := k.rig.Run("", "iptables-"+variant, "-t", "nat", "-N", "PLC-SERVICES"); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// artifact is a golden case's.
func (k *kernel) artifact(name string) string {
	dir, err := filepath.Abs(filepath.Join(*goldens, name, k.backend))
	if err != nil {
		k.t.Fatal(err)
	}
	if k.backend != ebpf.Name {
		return dir
	}
	// The goldens have the rules for packets once, with nftables.
	whole := filepath.Join(k.work, name, k.backend)
	err = errors.Join(os.CopyFS(whole, os.DirFS(dir)), os.CopyFS(whole, os.DirFS(filepath.Join(filepath.Dir(dir), "nftables"))))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		k.t.Fatal(err)
	}
	return whole
}

// The rules before, and those of a change.
const (
	before = "cluster-ip"
	change = "everything"
)

// command is a command line of planec on this node.
func (k *kernel) command(args ...string) *exec.Cmd {
	planec, err := exec.LookPath("planec")
	if err != nil {
		k.t.Fatal(err)
	}
	if k.bpf == "" {
		return exec.Command(planec, args...)
	}
	if slices.Contains([]string{"apply", "rollback"}, args[0]) {
		args = append(slices.Clone(args), "--cgroup", "/sys/fs/cgroup")
	}
	return k.sandbox(planec, args...)
}

// sandbox is a command line where the BPF file system and the cgroup are the test's.
func (k *kernel) sandbox(planec string, args ...string) *exec.Cmd {
	// They are mounted over the machine's, so that they are the test's whatever there is.
	script := `mkdir -p "$0/in" && mount --bind "$1" "$0/in" && mount -t tmpfs none /sys/fs && mkdir /sys/fs/bpf /sys/fs/cgroup && mount --move "$0/in" /sys/fs/cgroup && mount --bind "$2" /sys/fs/bpf && shift 2 && exec "$@"`
	return exec.Command("unshare", append([]string{"--mount", "--propagation", "private", "sh", "-c", script, k.work, k.cgroup, k.bpf, planec}, args...)...)
}

func (k *kernel) apply(name string, more ...string) *exec.Cmd {
	return k.command(append([]string{"apply", "--artifact", k.artifact(name), "--backend", k.backend, "--state-dir", k.state}, more...)...)
}

// run runs a command and returns its exit code and what it said on both streams.
func (k *kernel) run(cmd *exec.Cmd) (code int, said string) {
	k.t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := k.rig.Do(cmd.Start); err != nil {
		k.t.Fatal(err)
	}
	_ = cmd.Wait() // the exit code says it
	return cmd.ProcessState.ExitCode(), out.String()
}

func (k *kernel) must(cmd *exec.Cmd) {
	k.t.Helper()
	if code, said := k.run(cmd); code != 0 {
		k.t.Fatalf("%v: exit code %d: %s", cmd.Args, code, said)
	}
}

// has reports whether the kernel has a golden case's rules, all of them and no others.
func (k *kernel) has(name string) error {
	var a backends.Artifact
	files, err := os.ReadDir(k.artifact(name))
	if err != nil {
		return err
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(k.artifact(name), f.Name()))
		if err != nil {
			return err
		}
		a.Files = append(a.Files, backends.File{Name: f.Name(), Data: data})
	}
	check := applier.New(map[string]applier.Dataplane{k.backend: k.plane}, applier.NewRecord(k.t.TempDir()))
	return k.rig.Do(func() error {
		return check.Verify(k.t.Context(), applier.Entry{Backend: k.backend, Artifact: a})
	})
}

// quiet waits until no process of planec changes the kernel: a guard holds the lock on
// when its parent is gone.
func (k *kernel) quiet() {
	k.t.Helper()
	err := k.rig.Do(func() error {
		n, err := nodelock.On(k.state)
		if err != nil {
			return err
		}
		l, err := n.Change(k.t.Context(), time.Minute, func(nodelock.Holder) {})
		if err == nil {
			l.Release()
		}
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

// asked is an apply that waits for its confirmation.
type asked struct {
	*exec.Cmd
	in   io.WriteCloser
	said *bytes.Buffer
	// asks is closed when it asks; all when it has said everything.
	asks, all chan struct{}
}

func (k *kernel) ask(stdout io.Writer, more ...string) *asked {
	k.t.Helper()
	a := &asked{Cmd: k.apply(change, more...), said: &bytes.Buffer{}, asks: make(chan struct{}), all: make(chan struct{})}
	a.Stdout = stdout
	var err error
	if a.in, err = a.StdinPipe(); err != nil {
		k.t.Fatal(err)
	}
	stderr, err := a.StderrPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := k.rig.Do(a.Start); err != nil {
		k.t.Fatal(err)
	}
	go func() {
		defer close(a.all)
		in := bufio.NewScanner(stderr)
		once := sync.OnceFunc(func() { close(a.asks) })
		for in.Scan() {
			fmt.Fprintln(a.said, in.Text())
			if strings.Contains(in.Text(), "type yes") {
				once()
			}
		}
	}()
	return a
}

// end waits for the end, and returns the exit code and what was said.
func (a *asked) end() (code int, said string) {
	<-a.all
	_ = a.Wait() // the exit code says it
	return a.ProcessState.ExitCode(), a.said.String()
}

// TestKilledWhileAsking kills applies with --confirm-within at random moments, some of
// them after they were confirmed. The kernel has the rules from before, or the confirmed
// ones.
func TestKilledWhileAsking(t *testing.T) {
	for name, make := range kernels() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killWhileAsking(make(t), *guardKills)
		})
	}
}

// killWhileAsking kills applies, each within twice the time that one takes.
func killWhileAsking(k *kernel, kills int) {
	k.t.Helper()
	k.must(k.apply(before))
	start := time.Now()
	whole := k.ask(nil, "--confirm-within", "1h")
	_, _ = io.WriteString(whole.in, "yes\n") // it may have ended
	if code, said := whole.end(); code != 0 || k.has(change) != nil {
		k.t.Fatalf("a change that is confirmed: %d, %v: %s", code, k.has(change), said)
	}
	took := time.Since(start)
	k.must(k.apply(before))
	rng := rand.New(rand.NewPCG(3, 9))
	kept := 0
	for n := range kills {
		a := k.ask(nil, "--confirm-within", "1h")
		yes := n%3 == 2
		if yes {
			_, _ = io.WriteString(a.in, "yes\n") // it may be killed
		}
		time.Sleep(time.Duration(rng.Int64N(int64(2 * took))))
		_ = a.Process.Kill() // it may have ended
		_, said := a.end()
		k.quiet()
		err := k.has(before)
		if err != nil && yes && k.has(change) == nil {
			kept++
			k.must(k.apply(before))
			continue
		}
		if err != nil {
			k.t.Fatalf("kill %d (yes: %t): %v\n%s", n, yes, err, said)
		}
	}
	k.t.Logf("%d kills, %d changes kept; one took %v", kills, kept, took.Round(time.Millisecond))
}

// TestAsking lets an apply end in each way but by being killed.
func TestAsking(t *testing.T) {
	heedSignals(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	closedOut, closed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	closedOut.Close()
	send := func(s unix.Signal) func(a *asked) {
		return func(a *asked) { <-a.asks; _ = a.Process.Signal(s) }
	}
	for _, c := range []struct {
		name   string
		stdout io.Writer
		within string
		do     func(a *asked)
		has    string
		code   int
	}{
		{"yes", nil, "1h", func(a *asked) { _, _ = io.WriteString(a.in, "yes\n") }, change, 0},
		{"no", nil, "1h", func(a *asked) { _, _ = io.WriteString(a.in, "no\n") }, before, 1},
		{"end of stdin", nil, "1h", func(a *asked) { a.in.Close() }, before, 1},
		{"deadline", nil, "100ms", func(*asked) {}, before, 1},
		{"SIGHUP", nil, "1h", send(unix.SIGHUP), before, 1},
		{"SIGTERM", nil, "1h", send(unix.SIGTERM), before, 1},
		{"SIGINT", nil, "1h", send(unix.SIGINT), before, 1},
		{"SIGQUIT", nil, "1h", send(unix.SIGQUIT), before, 1},
		{"full stdout", full, "1h", func(*asked) {}, before, 1},
		{"closed stdout", closed, "1h", func(*asked) {}, before, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKernel(t, "nftables", "")
			k.must(k.apply(before))
			if err := os.RemoveAll(k.state); err != nil { // the kernel says what to go back to
				t.Fatal(err)
			}
			a := k.ask(c.stdout, "--confirm-within", c.within)
			c.do(a)
			if code, said := a.end(); code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, said)
			}
			if err := k.has(c.has); err != nil {
				t.Error(err)
			}
			if _, said := k.run(k.command("rollback", "--state-dir", k.state)); k.has(c.has) != nil {
				t.Errorf("rollback changed the rules: %s", said)
			}
		})
	}
}

// heedSignals lets the children of the test get signals that the test itself was
// started to ignore, as below nohup and in the background of a shell: planec ignores
// what it was told to ignore, and what a handler is for, an exec resets.
func heedSignals(t *testing.T) {
	t.Helper()
	heeded := make(chan os.Signal, 1)
	signal.Notify(heeded, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM)
	t.Cleanup(func() { signal.Stop(heeded) })
}

// TestGuardKilled kills the guard: the parent goes back at once.
func TestGuardKilled(t *testing.T) {
	k := newKernel(t, "nftables", "")
	k.must(k.apply(before))
	a := k.ask(nil, "--confirm-within", "1h")
	<-a.asks
	children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", a.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, file := range children {
		text, _ := os.ReadFile(file) // the thread may have ended
		for _, word := range strings.Fields(string(text)) {
			var pid int
			if _, err := fmt.Sscan(word, &pid); err == nil && unix.Kill(pid, unix.SIGKILL) == nil {
				killed++
			}
		}
	}
	if code, said := a.end(); code != 1 || killed != 1 {
		t.Errorf("%d guards killed, exit code %d: %s", killed, code, said)
	}
	if err := k.has(before); err != nil {
		t.Error(err)
	}
}

// TestParentStopped stops the parent: the guard has the time too.
func TestParentStopped(t *testing.T) {
	k := newKernel(t, "nftables", "")
	k.must(k.apply(before))
	a := k.ask(nil, "--confirm-within", "300ms")
	<-a.asks
	if err := a.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	err := errors.New("never looked")
	for range 200 {
		if err = k.has(before); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		t.Error(err)
	}
	_ = a.Process.Signal(unix.SIGCONT) // it has not ended
	if code, said := a.end(); code != 1 {
		t.Errorf("exit code %d: %s", code, said)
	}
}

// TestAppliesAtOnce starts many applies of two artifacts: all go well, and what the last
// one put in is whole.
func TestAppliesAtOnce(t *testing.T) {
	const many = 12
	for name, make := range kernels() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := make(t)
			var all []*exec.Cmd
			var said []*bytes.Buffer
			for n := range many {
				cmd := k.apply([]string{before, change}[n%2], "--lock-timeout", "5m")
				if n%4 > 1 { // with a state directory of its own
					cmd = k.apply([]string{before, change}[n%2], "--lock-timeout", "5m", "--state-dir", filepath.Join(k.state, fmt.Sprint("own", n)))
				}
				out := &bytes.Buffer{}
				cmd.Stdout, cmd.Stderr = out, out
				if err := k.rig.Do(cmd.Start); err != nil {
					t.Fatal(err)
				}
				all, said = append(all, cmd), append(said, out)
			}
			for i, cmd := range all {
				if err := cmd.Wait(); err != nil {
					t.Errorf("apply %d: %v: %s", i, err, said[i])
				}
			}
			if a, b := k.has(before), k.has(change); a != nil && b != nil {
				t.Errorf("neither artifact is whole: %v; %v", a, b)
			}
		})
	}
}

// TestTurns wants a command to wait for its turn no longer than it was told, and to be
// refused beside an agent unless it is told to go on.
func TestTurns(t *testing.T) {
	k := newKernel(t, "nftables", "")
	k.must(k.apply(before))
	var node *nodelock.Node
	var lock *nodelock.Lock
	hold := func(take func() (*nodelock.Lock, error)) {
		t.Helper()
		if err := k.rig.Do(func() (err error) { lock, err = take(); return err }); err != nil {
			t.Fatal(err)
		}
	}
	hold(func() (l *nodelock.Lock, err error) {
		if node, err = nodelock.On(k.state); err != nil {
			return nil, err
		}
		return node.Change(t.Context(), 0, func(nodelock.Holder) {})
	})
	pid := fmt.Sprint(os.Getpid())
	lines := map[string]*exec.Cmd{
		"apply":    k.apply(change, "--lock-timeout", "0s"),
		"rollback": k.command("rollback", "--state-dir", k.state, "--lock-timeout", "0s"),
		"clean":    k.command("clean", "--backend", "nftables", "--state-dir", k.state, "--lock-timeout", "0s"),
	}
	again := func(cmd *exec.Cmd, more ...string) *exec.Cmd {
		return exec.Command(cmd.Path, append(cmd.Args[1:], more...)...)
	}
	for name, cmd := range lines {
		if code, said := k.run(again(cmd)); code != 3 || !strings.Contains(said, pid) || !strings.Contains(said, "nothing was changed") {
			t.Errorf("%s beside a change: %d, %s", name, code, said)
		}
	}
	lock.Release()
	hold(func() (*nodelock.Lock, error) { return node.Agent(t.Context()) })
	for name, cmd := range lines {
		if code, said := k.run(again(cmd)); code != 3 || !strings.Contains(said, pid) || !strings.Contains(said, "--beside-agent") {
			t.Errorf("%s beside an agent: %d, %s", name, code, said)
		}
	}
	if err := k.has(before); err != nil {
		t.Error(err)
	}
	k.must(again(lines["apply"], "--beside-agent"))
	lock.Release()
	k.must(k.command("verify", "--state-dir", k.state))
	k.must(again(lines["rollback"]))
	if err := k.has(before); err != nil {
		t.Error(err)
	}
}
