package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFiles runs an agent that follows a directory through several changes.
func TestFiles(t *testing.T) { eachBackend(t, testFiles) }

func testFiles(t *testing.T, n *node) {
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	n.wait("the Service answers", func() bool { return n.answer(vip, 80) == "10.1.2.1:8080" })

	n.write("cart.yaml", service("cart", vip, "", "10.1.2.2"))
	n.wait("its endpoint is another one", func() bool { return n.answer(vip, 80) == "10.1.2.2:8080" })

	n.write("web.yaml", service("web", vip2, "", "10.1.0.9"))
	n.wait("a second Service answers", func() bool { return n.answer(vip2, 80) == "10.1.0.9:8080" })
	if err := os.Remove(filepath.Join(n.dir, "web.yaml")); err != nil {
		t.Fatal(err)
	}
	n.wait("it is gone", func() bool { return n.answer(vip2, 80) != "10.1.0.9:8080" })

	if code := n.kill(unix.SIGTERM); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	if got := n.answer(vip, 80); got != "10.1.2.2:8080" {
		t.Errorf("after its end: %s", got)
	}
	n.start()
	n.wait("it has started again", func() bool { return strings.Contains(n.log.String(), "the first rules are in the kernel") })
	if !strings.Contains(n.log.String(), "slices=1 steps=0") {
		t.Error("starting again over right rules took steps")
	}
}

// TestHalfWritten wants a file that is only partly written, or truncated, to
// change nothing.
func TestHalfWritten(t *testing.T) { eachBackend(t, testHalfWritten) }

func testHalfWritten(t *testing.T, n *node) {
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	n.wait("the Service answers", func() bool { return n.answer(vip, 80) == "10.1.2.1:8080" })

	// In place, in two halves, of which the first is good YAML with no endpoints.
	whole := service("cart", vip, "", "10.1.2.3")
	cut := strings.Index(whole, "- addresses")
	f, err := os.OpenFile(filepath.Join(n.dir, "cart.yaml"), os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write(whole[:cut])
	for range 20 {
		if got := n.answer(vip, 80); got != "10.1.2.1:8080" {
			t.Fatalf("half a file changed it: %s", got)
		}
		time.Sleep(50 * time.Millisecond)
	}
	write(whole[cut:])
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	n.wait("the whole file counts", func() bool { return n.answer(vip, 80) == "10.1.2.3:8080" })

	n.write("cart.yaml", strings.Replace(whole, "endpoints:", "endpoints: {[", 1))
	n.wait("the broken file is noticed", func() bool { return strings.Contains(n.log.String(), "PLC0001") })
	if got := n.answer(vip, 80); got != "10.1.2.3:8080" {
		t.Errorf("a broken file changed it: %s", got)
	}
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.4"))
	n.wait("the mended file counts", func() bool { return n.answer(vip, 80) == "10.1.2.4:8080" })
}

// TestDrift wants foreign changes of planec's rules to be undone within a second.
func TestDrift(t *testing.T) {
	n := newNode(t)
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	n.wait("the Service answers", func() bool { return n.answer(vip, 80) == "10.1.2.1:8080" })
	for _, text := range []string{
		"delete table ip planec",
		"flush chain ip planec services",
		"flush ruleset",
		"add chain ip planec intruder",
	} {
		// A change that is undone before the kernel's notice would not be detected.
		nft := exec.Command("nft", text)
		if out, err := runIn(n, nft); err != nil {
			t.Logf("%s: %v %s", text, err, out)
			continue
		}
		before := time.Now()
		n.wait("it is put right after "+text, func() bool {
			return n.answer(vip, 80) == "10.1.2.1:8080" && !strings.Contains(n.ruleset(), "intruder")
		})
		t.Logf("%s: put right after %v", text, time.Since(before).Round(time.Millisecond))
	}
	_, metrics, _ := n.get("http://127.0.0.1:10249/metrics")
	if !strings.Contains(metrics, "planec_drift_total ") || strings.Contains(metrics, "planec_drift_total 0") {
		t.Error("no drift was counted")
	}
}

func runIn(n *node, cmd *exec.Cmd) (out []byte, err error) {
	err = n.rig.Do(func() (err error) {
		out, err = cmd.CombinedOutput()
		return err
	})
	return out, err
}

func (n *node) ruleset() string {
	out, err := runIn(n, exec.Command("nft", "list", "ruleset"))
	if err != nil {
		n.t.Fatalf("nft: %v: %s", err, out)
	}
	return string(out)
}

// TestHealth sends the requests of load balancers and dashboards.
func TestHealth(t *testing.T) {
	n := newNode(t)
	n.write("node.yaml", nodeYAML)
	external := "  type: LoadBalancer\n  externalTrafficPolicy: Local\n  healthCheckNodePort: 32000\n  externalIPs: [203.0.113.5]\n"
	n.write("cart.yaml", service("cart", vip, external, "10.1.0.9", "10.1.2.1"))
	n.start()
	n.wait("the rules are in", func() bool { return strings.Contains(n.log.String(), "the first rules are in") })
	n.wait("the port answers", func() bool {
		_, err := runIn(n, exec.Command("sh", "-c", "ss -Hltn sport = :32000 | grep -q ."))
		return err == nil
	})
	code, body, header := n.get("http://192.0.2.11:32000/")
	if code != 200 || header.Get("X-Load-Balancing-Endpoint-Weight") != "1" || !strings.Contains(body, `"localEndpoints":1`) {
		t.Errorf("with an endpoint: %d %s %v", code, body, header)
	}
	n.write("cart.yaml", service("cart", vip, external, "10.1.2.1"))
	n.wait("no endpoint is here any more", func() bool { code, _, _ := n.get("http://192.0.2.11:32000/"); return code == 503 })
	for _, path := range []string{"healthz", "livez"} {
		if code, body, _ := n.get("http://127.0.0.1:10256/" + path); code != 200 || !strings.Contains(body, `"healthy":true`) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	n.write("node.yaml", strings.Replace(nodeYAML, "status:", "spec: {taints: [{key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule}]}\nstatus:", 1))
	n.wait("the node is about to be removed", func() bool { code, _, _ := n.get("http://127.0.0.1:10256/healthz"); return code == 503 })
	if code, _, _ := n.get("http://127.0.0.1:10256/livez"); code != 200 {
		t.Errorf("livez of a node that is about to be removed: %d", code)
	}
	_, metrics, _ := n.get("http://127.0.0.1:10249/metrics")
	for _, name := range []string{
		"kubeproxy_sync_proxy_rules_duration_seconds_bucket", "kubeproxy_network_programming_duration_seconds", "kubeproxy_proxy_healthz_total",
		`kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family="IPv4",traffic_policy="external"} 1`, "planec_apply_duration_seconds",
	} {
		if !strings.Contains(metrics, name) {
			t.Errorf("no %s among the metrics", name)
		}
	}
	if _, mode, _ := n.get("http://127.0.0.1:10249/proxyMode"); mode != "nftables" {
		t.Errorf("proxyMode is %q", mode)
	}
}

// TestConfigurationChanges wants an agent to end when its configuration changes,
// so that the service manager restarts it, like kube-proxy; its rules stay.
func TestConfigurationChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	write := func(cidr string) {
		text := "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: nftables\nclusterCIDR: " + cidr + "\nhealthzBindAddress: 127.0.0.1:10299\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("10.1.0.0/16")
	n := newNode(t, "--config", file)
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	n.wait("the Service answers", func() bool { return n.answer(vip, 80) == "10.1.2.1:8080" })
	if code, _, _ := n.get("http://127.0.0.1:10299/livez"); code != 200 {
		t.Errorf("livez at the file's address: %d", code)
	}
	write("10.2.0.0/16")
	if err := n.cmd.Wait(); err == nil || n.cmd.ProcessState.ExitCode() != 3 || !strings.Contains(n.log.String(), "the configuration has changed") {
		t.Errorf("it ended with %v:\n%s", err, n.log)
	}
	n.cmd = nil
	if got := n.answer(vip, 80); got != "10.1.2.1:8080" {
		t.Errorf("after its end: %s", got)
	}
	n.start()
	n.wait("it has started again with the new one", func() bool { return strings.Contains(n.ruleset(), "10.2.0.0/16") })
}

// TestCleanup wants everything of planec to be removed and nothing else, and mistakes of
// the command line to be distinguished from failures.
func TestCleanup(t *testing.T) {
	n := newNode(t)
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	n.wait("the Service answers", func() bool { return n.answer(vip, 80) == "10.1.2.1:8080" })
	n.kill(unix.SIGTERM)
	if out, err := runIn(n, exec.Command("nft", "add table ip others")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run := func(args ...string) int {
		cmd := exec.Command("/proc/self/exe", args...)
		cmd.Env = append(os.Environ(), agentVariable+"=1")
		_, _ = runIn(n, cmd) // the exit code tells
		return cmd.ProcessState.ExitCode()
	}
	if code := run("--cleanup", "--state-dir", n.state); code != 0 {
		t.Errorf("cleaning up: %d", code)
	}
	if got := n.ruleset(); strings.Contains(got, "planec") || !strings.Contains(got, "others") {
		t.Errorf("left is\n%s", got)
	}
	for _, args := range [][]string{{"--backend", "none"}, {"--takeover", "cilium"}, {"--manifest-dir", n.dir, "--kubeconfig", "x"}, {"--log-format", "xml"}, {"--kubeconfig", "/nowhere"}, {"argument"}} {
		if code := run(append(args, "--state-dir", n.state)...); code != 2 {
			t.Errorf("%v: exit code %d, want 2", args, code)
		}
	}
}

// TestSecondAgent wants a second agent to be refused before it changes anything, even
// with another state directory, and a new agent to start after the first was killed.
func TestSecondAgent(t *testing.T) { eachBackend(t, testSecondAgent) }

func testSecondAgent(t *testing.T, n *node) {
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	n.wait("the Service answers", func() bool { return n.answer(vip, 80) == "10.1.2.1:8080" })
	pid := fmt.Sprint(n.cmd.Process.Pid)
	for _, args := range [][]string{{"--manifest-dir", t.TempDir(), "--node", "node-a"}, {"--cleanup"}} {
		for _, state := range []string{n.state, t.TempDir()} {
			cmd := exec.Command("/proc/self/exe", append(args, "--state-dir", state, "--sysctls=false")...)
			cmd.Env = append(os.Environ(), agentVariable+"=1")
			out, _ := runIn(n, cmd) // the exit code tells
			if code := cmd.ProcessState.ExitCode(); code != 3 || !strings.Contains(string(out), "one agent keeps a node's rules") || !strings.Contains(string(out), pid) {
				t.Errorf("%v: exit code %d: %s", args, code, out)
			}
		}
	}
	if n.answer(vip, 80) != "10.1.2.1:8080" {
		t.Error("the first agent's rules are not what they were")
	}
	n.kill(unix.SIGKILL)
	n.write("cart.yaml", service("cart", vip2, "", "10.1.2.1"))
	n.start()
	n.wait("the agent that follows one that was killed serves", func() bool { return n.answer(vip2, 80) == "10.1.2.1:8080" })
}
