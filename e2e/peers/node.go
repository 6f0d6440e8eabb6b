package peers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// The addresses of the rig: node-000 of package clustergen, and a pod that is no endpoint.
var (
	nodeAddress = netip.MustParseAddr("192.168.0.10")
	podAddress  = netip.MustParseAddr("10.244.0.2")
)

// The ports: of the endpoints, of the Services.
const (
	endpointPort = 8080
	servicePort  = 80
)

// node is a new rig, and where an engine keeps its state.
type node struct {
	rig    *testkit.Rig
	engine Engine
	job    Job
	tools  string // a directory that is first in PATH
}

func newNode(t testing.TB, e Engine) *node {
	t.Helper()
	n := &node{engine: e, tools: legacyTools(t)}
	n.job = Job{Engine: e, State: t.TempDir(), Pins: testkit.BPFFS(t), Cgroup: testkit.Cgroup(t, live.CgroupRoot())}
	n.rig = testkit.New(t, testkit.Spec{
		NodeAddrs: []netip.Addr{nodeAddress}, Pods: []netip.Addr{podAddress},
		Ports: []testkit.Port{{Protocol: ir.TCP, Number: endpointPort}},
	})
	if e.Mode == "ebpf" {
		if err := n.rig.JoinCgroup(n.job.Cgroup); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// legacyTools has the programs of [variant] under the names that kube-proxy runs.
func legacyTools(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, family := range []string{"iptables", "ip6tables"} {
		for _, what := range []string{"", "-restore", "-save"} {
			path, err := exec.LookPath(family + "-" + variant + what)
			if err == nil {
				err = os.Symlink(path, filepath.Join(dir, family+what))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// inPod runs f where the pod's sockets are opened.
func (n *node) inPod(f func() error) error {
	if n.engine.Mode == "ebpf" {
		return n.rig.Inside(f)
	}
	return n.rig.Outside(f)
}

// errLate says that a process was ended because one of its samples took too long.
var errLate = errors.New("it took too long")

// run does a job in the node's namespace, and hands over each sample when it comes. It returns
// how many there were, also with an error.
func (n *node) run(j Job, limit time.Duration, take func(Sample)) (count int, err error) {
	text, err := json.Marshal(j)
	if err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer read.Close()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), variable+"="+string(text), "PATH="+n.tools+":"+os.Getenv("PATH"),
		// The lock is the machine's, but the tables are the namespace's: others' work is not waited for.
		"XTABLES_LOCKFILE="+filepath.Join(n.tools, "xtables.lock"))
	var stderr bytes.Buffer
	cmd.Stderr, cmd.ExtraFiles = &stderr, []*os.File{write} // as the descriptor samples
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err = n.rig.Do(cmd.Start)
	write.Close()
	if err != nil {
		return 0, err
	}
	count, err = receive(read, cmd.Process.Pid, limit, take)
	if wait := cmd.Wait(); err == nil && wait != nil {
		err = fmt.Errorf("%v: %w\n%s", j.Engine, wait, bytes.TrimSpace(stderr.Bytes()))
	}
	return count, err
}

// receive reads samples until the process ends. It ends the process, and the programs that
// it runs, if one does not come in time.
func receive(from io.Reader, pid int, limit time.Duration, take func(Sample)) (count int, err error) {
	late := make(chan struct{})
	timer := time.AfterFunc(limit, func() {
		close(late)
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	})
	defer timer.Stop()
	in := json.NewDecoder(from)
	for {
		var s Sample
		if err = in.Decode(&s); err != nil {
			break
		}
		timer.Reset(limit)
		if s.Figure != ready {
			count++
			take(s)
		}
	}
	select {
	case <-late:
		return count, errLate
	default:
	}
	if errors.Is(err, io.EOF) {
		return count, nil
	}
	return count, fmt.Errorf("samples of process %d: %w", pid, err)
}
