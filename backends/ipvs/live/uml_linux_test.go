package live

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
)

var (
	cases    = flag.String("cases", goldenDir, "where the golden cases are")
	every    = flag.Int("every", 3, "take every n-th golden case")
	changes  = flag.Int("changes", 60, "how many random changes to make beside connections")
	kills    = flag.Int("kills", 20, "how many applies to kill")
	measured = flag.Int("measured", 0, "how many Services to measure with; none by default")
	verbose  = flag.Bool("verbose", false, "print all that the tests inside print")
	limit    = flag.Duration("limit", 15*time.Minute, "how long all of it may take")
)

// TestMain also serves User Mode Linux: inside, this binary is the init process,
// and the process that is killed while it applies.
func TestMain(m *testing.M) {
	uml.Init()
	if dir := os.Getenv(applyVariable); dir != "" {
		os.Exit(applyDirectory(dir))
	}
	os.Exit(m.Run())
}

// modules are what the tests inside need.
var modules = []string{
	"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_sh", "ip_vs_mh", "xt_ipvs",
	"ip_set", "ip_set_hash_ip", "ip_set_hash_net", "ip_set_hash_ipport", "ip_set_hash_ipportip", "ip_set_hash_ipportnet", "xt_set",
	"iptable_filter", "iptable_nat", "iptable_mangle", "ip6table_filter", "ip6table_nat", "ip6table_mangle",
	"nf_conntrack", "nf_conntrack_netlink", "dummy", "veth", "bridge", "br_netfilter",
}

// factsFile has what the tests inside have counted, by test.
const factsFile = "facts-"

// TestInUML runs the tests whose names begin with TestKernel in User Mode Linux,
// the only kernel with IPVS that can be counted on.
func TestInUML(t *testing.T) {
	if uml.Inside() {
		t.Skip("this is the inside")
	}
	uml.Require(t, "ipvsadm", "ipset", "iptables-legacy-restore", "ip6tables-legacy-restore", "ip")
	dir, err := filepath.Abs(*cases)
	if err != nil {
		t.Fatal(err)
	}
	run := "^TestKernel"
	if f := flag.Lookup("test.run").Value.String(); strings.HasPrefix(f, "TestInUML/") {
		run = strings.TrimPrefix(f, "TestInUML/")
	}
	ctx, cancel := context.WithTimeout(t.Context(), *limit)
	defer cancel()
	r, err := uml.Run(ctx, uml.Config{Modules: modules, Args: []string{
		"-test.run=" + run, "-test.v", "-cases=" + dir,
		fmt.Sprintf("-every=%d", *every), fmt.Sprintf("-changes=%d", *changes), fmt.Sprintf("-kills=%d", *kills), fmt.Sprintf("-measured=%d", *measured),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 || strings.Contains(r.Output, "--- SKIP") || !strings.Contains(r.Output, "--- PASS: TestKernel") {
		t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
	}
	if *verbose {
		t.Log(r.Output)
	}
	t.Logf("User Mode Linux ready in %v, tests took %v", r.Ready.Round(time.Millisecond), r.Took.Round(time.Millisecond))
	passed := strings.Count(r.Output, "\n--- PASS: TestKernel")
	if strings.HasPrefix(r.Output, "--- PASS: TestKernel") {
		passed++
	}
	if run == "^TestKernel" && (passed != kernelTests || len(r.Files) != kernelTests) {
		t.Errorf("%d tests passed and %d told what they did, want %d:\n%s", passed, len(r.Files), kernelTests, r.Output)
	}
	for name, text := range r.Files {
		t.Logf("%s: %s", strings.TrimPrefix(name, factsFile), text)
	}
}

// kernelTests is the number of these tests.
const kernelTests = 9

// tell leaves what a test has counted for the outside.
func tell(t *testing.T, facts any) {
	t.Helper()
	b, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(uml.OutDir, factsFile+t.Name()), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// inside skips tests that only User Mode Linux can run.
func inside(t *testing.T) {
	t.Helper()
	if !uml.Inside() {
		t.Skip("TestInUML runs it")
	}
}

// worker is a thread in the namespace of a rig's node, beside the rig's own, so
// that flows can be tried meanwhile.
type worker struct{ work chan func() }

func newWorker(t *testing.T, r *testkit.Rig) *worker {
	t.Helper()
	w := &worker{work: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		ready <- unix.Setns(int(r.NodeNamespace().Fd()), unix.CLONE_NEWNET)
		for f := range w.work {
			f()
		}
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(w.work) })
	return w
}

func (w *worker) do(f func() error) error {
	done := make(chan error, 1)
	w.work <- func() { done <- f() }
	return <-done
}

func kernel() *Kernel {
	return New(&xtlive.Tools{Variant: "legacy", LockWait: 5 * time.Second})
}

// plan returns what an apply of the artifact would do.
func plan(ctx context.Context, a backends.Artifact) (*Plan, error) {
	want, err := Parse(a)
	if err != nil {
		return nil, err
	}
	have, err := kernel().Observe(ctx)
	if err != nil {
		return nil, err
	}
	return NewPlan(have, want), nil
}

// apply applies the artifact, and wants no difference afterwards.
func apply(ctx context.Context, a backends.Artifact) (steps []string, err error) {
	p, err := plan(ctx, a)
	if err != nil {
		return nil, err
	}
	if err := kernel().Apply(ctx, p); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, strings.Join(p.Steps(), "\n"))
	}
	left, err := plan(ctx, a)
	if err == nil && !left.Empty() {
		err = fmt.Errorf("left after the apply: %q", left.Steps())
	}
	return p.Steps(), err
}
