package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/cli"
	"github.com/planec/planec/internal/testing/testkit"
)

// TestTraceLive asks the kernel's maps about what they were loaded with, and about what
// they were not.
func TestTraceLive(t *testing.T) {
	testkit.Require(t)
	const manifests = "../../golden/cases/cluster-ip/input.yaml"
	dir, out := testkit.BPFFS(t), t.TempDir()
	run := func(args ...string) (int, string) {
		var b bytes.Buffer
		code := cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &b, Err: &b})
		return code, b.String()
	}
	trace := func(more ...string) (int, string) {
		return run(append([]string{"trace", "-f", manifests, "--cluster-cidr", "10.244.0.0/16", "--node", "node-a", "--from", "node/node-a", "--to", "10.96.0.10", "--port", "80"}, more...)...)
	}
	if code, said := trace("--live", "--pins", dir, "--backend", "ebpf"); code != 3 || !strings.Contains(said, "no image") {
		t.Errorf("without maps: exit code %d: %s", code, said)
	}
	if code, said := trace("--live", "--pins", dir); code != 2 || !strings.Contains(said, "--backend ebpf") {
		t.Errorf("without a backend: exit code %d: %s", code, said)
	}
	if code, said := run("compile", "-f", manifests, "--cluster-cidr", "10.244.0.0/16", "--node", "node-a", "--backend", "ebpf", "--out-dir", out); code != 0 {
		t.Fatalf("exit code %d: %s", code, said)
	}
	data, err := os.ReadFile(filepath.Join(out, "node-a", ebpf.Name, ebpf.ImageFile))
	if err != nil {
		t.Fatal(err)
	}
	img, err := ebpf.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	pins := live.NewPins(dir)
	have, err := pins.Observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := pins.Apply(t.Context(), live.NewPlan(have, img)); err != nil {
		t.Fatal(err)
	}
	code, said := trace("--live", "--pins", dir, "--backend", "ebpf")
	if code != 0 || !strings.Contains(said, "the program in the kernel was asked 256 times: ") || !strings.Contains(said, "\ndnat to ") {
		t.Errorf("exit code %d: %s", code, said)
	}
}
