package cmd_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/testing/testkit"
)

// health is a body of /healthz or /livez.
type health struct {
	LastUpdated, CurrentTime string
	Healthy                  bool
	Reasons                  []string
}

func (n *node) health(path string) (int, health) {
	n.t.Helper()
	code, body, _ := n.get("http://127.0.0.1:10256/" + path)
	var h health
	if err := json.Unmarshal([]byte(body), &h); err != nil {
		n.t.Fatalf("%s: %q: %v", path, body, err)
	}
	return code, h
}

// TestStartWaits starts the agent over correct rules while a file cannot be
// opened: the rules stay, and the agent is alive but not ready, and says why. Once
// it serves, a file that cannot be opened is only a finding.
func TestStartWaits(t *testing.T) {
	testkit.Require(t, "setpriv")
	n := newNode(t)
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.write("web.yaml", service("web", vip2, "", "10.1.2.2"))
	n.start()
	n.wait("both Services answer", func() bool {
		return n.answer(vip, 80) == "10.1.2.1:8080" && n.answer(vip2, 80) == "10.1.2.2:8080"
	})
	n.kill(unix.SIGTERM)

	n.under = []string{"setpriv", "--bounding-set=-all,+net_admin", "--inh-caps=-all,+net_admin"}
	web := filepath.Join(n.dir, "web.yaml")
	lock := func(path string, owner int) {
		if err := os.Chown(path, owner, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{n.dir, filepath.Dir(n.dir)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	lock(web, 65534)
	n.start()
	n.wait("the file is named", func() bool { return strings.Contains(n.log.String(), "PLC0010") })
	code, h := n.health("healthz")
	if code != 503 || h.Healthy || !strings.HasPrefix(h.LastUpdated, "0001-") || !strings.Contains(strings.Join(h.Reasons, "\n"), web) {
		t.Errorf("healthz while a file cannot be read: %d %+v", code, h)
	}
	if code, h = n.health("livez"); code != 200 || len(h.Reasons) == 0 {
		t.Errorf("livez while a file cannot be read: %d %+v", code, h)
	}
	if got := n.answer(vip2, 80); got != "10.1.2.2:8080" {
		t.Errorf("the Service of the file: %s", got)
	}
	lock(web, 0)
	n.wait("it is ready", func() bool { code, _ := n.health("healthz"); return code == 200 })
	if strings.Count(n.log.String(), "PLC0010") != 1 {
		t.Error("it was not said once")
	}

	lock(web, 65534)
	n.write("web.yaml", service("web", vip2, "", "10.1.2.9")) // a new file, of root's
	n.wait("it counts", func() bool { return n.answer(vip2, 80) == "10.1.2.9:8080" })
	other := filepath.Join(n.dir, "other.json")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	lock(other, 65534)
	n.wait("the new file is counted", func() bool {
		_, metrics, _ := n.get("http://127.0.0.1:10249/metrics")
		return strings.Contains(metrics, "planec_unread_sources 1") && strings.Contains(metrics, `planec_diagnostics{code="PLC0010",severity="error"} 1`)
	})
	if code, h = n.health("healthz"); code != 200 || !h.Healthy || !strings.Contains(strings.Join(h.Reasons, "\n"), other) {
		t.Errorf("healthz with a file that was never read: %d %+v", code, h)
	}
}

// TestFailedStartEndsWithAComparison makes the first applies fail, because there
// is no BPF file system, and a comparison succeed: the agent is then ready, as
// after an apply. Before, /healthz contains the kernel's error.
func TestFailedStartEndsWithAComparison(t *testing.T) {
	testkit.Require(t, "unshare", "nsenter")
	n := newNode(t, "--backend", "ebpf", "--verify-every", "100ms")
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.under = []string{"unshare", "-m", "sh", "-c", `umount /sys/fs/bpf 2>/dev/null; exec "$@"`, "sh"}
	n.start()
	n.wait("the next try is far away", func() bool { return strings.Contains(n.log.String(), "again=30s") })
	code, h := n.health("healthz")
	if reasons := strings.Join(h.Reasons, "\n"); code != 503 || !strings.Contains(reasons, "there is no BPF file system") {
		t.Errorf("/healthz of an agent whose applies fail: %d %s", code, reasons)
	}
	mount := exec.Command("nsenter", "-t", strconv.Itoa(n.cmd.Process.Pid), "-m", "mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
	if out, err := mount.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	n.wait("it is ready", func() bool {
		code, h := n.health("healthz")
		return code == 200 && len(h.Reasons) == 0
	})
	n.wait("the log says so", func() bool { return strings.Contains(n.log.String(), "applying works again") })
}
