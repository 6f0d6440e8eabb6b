package cli_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestCgroupOfAContainer wants an apply of ebpf that is told no cgroup to be refused where
// cgroup2 is not the machine's root, as in a container: programs there would see no pod.
// With the cgroup's path it serves, and commands that are told none find the programs.
func TestCgroupOfAContainer(t *testing.T) {
	k := newKernel(t, "ebpf", "")
	planec, err := exec.LookPath("planec")
	if err != nil {
		t.Fatal(err)
	}
	code, said := k.run(k.sandbox(planec, "apply", "--artifact", k.artifact(before), "--state-dir", k.state))
	if code != 3 || !strings.Contains(said, "it is not the root of cgroup2 but a container's own") {
		t.Errorf("exit code %d: %s", code, said)
	}
	k.must(k.apply(before))
	if code, said := k.run(k.command("status", "--state-dir", k.state)); code != 0 || !strings.Contains(said, "on /sys/fs/cgroup: recvmsg4 ") {
		t.Errorf("status: exit code %d: %s", code, said)
	}
	if code, said := k.run(k.command("verify", "--state-dir", k.state)); code != 0 {
		t.Errorf("verify: exit code %d: %s", code, said)
	}
	if code, said := k.run(k.command("show", "--state-dir", k.state)); code != 0 || !strings.Contains(said, "connect4 ") {
		t.Errorf("show: exit code %d: %s", code, said)
	}
	if code, said := k.run(k.command("clean", "--state-dir", k.state)); code != 0 || !strings.Contains(said, "detach program connect4") || !strings.Contains(said, "delete table") && !strings.Contains(said, "table ip planec") {
		t.Errorf("clean: exit code %d: %s", code, said)
	}
}
