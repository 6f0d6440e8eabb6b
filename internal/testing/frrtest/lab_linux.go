package frrtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/testkit"
)

// daemonDir is where Debian's package has the daemons.
const daemonDir = "/usr/lib/frr"

// Host is a namespace on the lab's network that runs FRR. Its addresses are 10.9.0.N and
// fd09::N, and its interface is eth0.
type Host struct {
	Name string
	Dir  string // of its files and sockets
	n    int
	pid  int // of the process that holds the namespace
}

// IPv4 and IPv6 are the host's addresses.
func (h *Host) IPv4() string { return fmt.Sprintf("10.9.0.%d", h.n) }

// IPv6 is the host's IPv6 address.
func (h *Host) IPv6() string { return fmt.Sprintf("fd09::%x", h.n) }

// Start starts hosts on one network. They end with the test.
func Start(t testing.TB, names ...string) []*Host {
	t.Helper()
	testkit.Require(t, "ip", "nsenter", "vtysh", filepath.Join(daemonDir, "bgpd"), filepath.Join(daemonDir, "frr-reload.py"))
	fabric := hold(t)
	inside(t, fabric, "ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
	inside(t, fabric, "ip", "link", "set", "br0", "up")
	var out []*Host
	for i, name := range names {
		h := &Host{Name: name, Dir: dir(t), n: i + 1, pid: hold(t)}
		port := "p" + strconv.Itoa(h.n)
		inside(t, fabric, "ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", strconv.Itoa(h.pid))
		inside(t, fabric, "ip", "link", "set", port, "master", "br0", "up")
		h.Run(t, "ip", "link", "set", "lo", "up")
		h.Run(t, "ip", "addr", "add", h.IPv4()+"/24", "dev", "eth0")
		h.Run(t, "ip", "addr", "add", h.IPv6()+"/64", "dev", "eth0", "nodad")
		h.Run(t, "ip", "link", "set", "eth0", "up")
		out = append(out, h)
	}
	for _, h := range out {
		h.daemons(t)
	}
	return out
}

// dir makes a directory for daemons, which run as the user frr.
func dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "frrtest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what is left is in the directory of temporary files
	if err := own(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// own gives a file to the user of FRR's daemons.
func own(path string) error {
	u, err := user.Lookup("frr")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	return os.Chown(path, uid, -1)
}

// hold starts a process in a new network namespace and returns its pid.
func hold(t testing.TB) int {
	t.Helper()
	cmd := exec.Command("sleep", "infinity")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	start(t, cmd)
	return cmd.Process.Pid
}

// start starts a process that is ended with the test.
func start(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
}

func enter(pid int, name string, args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--net=/proc/" + strconv.Itoa(pid) + "/ns/net", name}, args...)...)
}

func inside(t testing.TB, pid int, name string, args ...string) string {
	t.Helper()
	out, err := enter(pid, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// Run runs a program in the host's namespace.
func (h *Host) Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	return inside(t, h.pid, name, args...)
}

// Command returns a program that is to run in the host's namespace.
func (h *Host) Command(name string, args ...string) *exec.Cmd { return enter(h.pid, name, args...) }

// daemons starts zebra, bgpd and bfdd, and waits until they answer.
func (h *Host) daemons(t testing.TB) {
	t.Helper()
	conf := h.path("empty.conf")
	for _, file := range []string{conf, h.path("vtysh.conf")} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := own(file); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range [][]string{
		{"zebra"},
		{"bgpd", "-n"}, // routes are of no use here
		{"bfdd", "--bfdctl", h.path("bfdd.sock")},
	} {
		args := append([]string{"-f", conf, "-i", h.path(d[0] + ".pid"), "-z", h.path("zserv.api"), "--vty_socket", h.Dir, "-P", "0", "--log", "file:" + h.path(d[0]+".log")}, d[1:]...)
		cmd := enter(h.pid, filepath.Join(daemonDir, d[0]), args...)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		start(t, cmd)
		Eventually(t, 10*time.Second, d[0]+" of "+h.Name+" answers", func() error {
			if out, err := enter(h.pid, "vtysh", "--vty_socket", h.Dir, "-d", d[0], "-c", "show version").CombinedOutput(); err != nil {
				return fmt.Errorf("%w: %s %s", err, out, said.String())
			}
			return nil
		})
	}
}

func (h *Host) path(name string) string { return filepath.Join(h.Dir, name) }

// Show returns what FRR answers to commands.
func (h *Host) Show(commands ...string) ([]byte, error) {
	args := []string{"--vty_socket", h.Dir, "--config_dir", h.Dir}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	cmd := enter(h.pid, "vtysh", args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("vtysh %q: %w\n%s", commands, err, errs.String())
	}
	return out, nil
}

// Check has FRR check a configuration.
func Check(t testing.TB, conf []byte) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "frr.conf")
	if err := os.WriteFile(file, conf, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("vtysh", "-C", "-f", file).CombinedOutput(); err != nil {
		return fmt.Errorf("vtysh -C -f: %w\n%s", err, out)
	}
	return nil
}

// Load gives a host a configuration by FRR's own reload: the difference from what runs.
func (h *Host) Load(conf []byte) error {
	if err := os.WriteFile(h.path("frr.conf"), conf, 0o600); err != nil {
		return err
	}
	if out, err := h.reload("--reload", h.path("frr.conf")); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// Left returns what another reload of the same configuration would say.
func (h *Host) Left() (string, error) { return h.reload("--test", h.path("frr.conf")) }

func (h *Host) reload(how, file string) (string, error) {
	out, err := enter(h.pid, "python3", filepath.Join(daemonDir, "frr-reload.py"), how, "--stdout", "--bindir", "/usr/bin",
		"--confdir", h.Dir, "--rundir", h.Dir, "--vty_socket", h.Dir, file).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("frr-reload.py %s on %s: %w", how, h.Name, err)
	}
	return string(out), nil
}

// Eventually tries until there is no error, and fails the test when the time is over.
func Eventually(t testing.TB, limit time.Duration, what string, try func() error) {
	t.Helper()
	end := time.Now().Add(limit)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s: %v", limit, what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
