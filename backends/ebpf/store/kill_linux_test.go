package store

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/layout"
)

var kills = flag.Int("kills", 200, "how many writers are killed")

// childEnv starts the test binary as a writer. Its maps are the descriptors from 3 on.
const childEnv = "PLANEC_TEST_WRITER"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	fmt.Println("failed", write())
}

// killServices is how many Services each transaction of a writer changes.
const killServices = 64

// write commits transactions until it is killed.
func write() error {
	m := &Maps{}
	for i := range 1 + layout.NumStoreMaps {
		x, err := ebpf.NewMapFromFD(3 + i)
		if err != nil {
			return err
		}
		if i == 0 {
			m.Active = x
		} else {
			m.Stored[i-1] = x
		}
	}
	s, err := Open(m)
	if err != nil {
		return err
	}
	for n := rand.Uint32N(1 << 20); ; n++ {
		if err := s.Commit(all(killServices, 1+n, 1+int(n%7))); err != nil {
			return err
		}
		fmt.Println("committed")
	}
}

// TestKilledWriters kills writers at random moments while programs read: no run sees a
// mix, and the next writer goes on.
func TestKilledWriters(t *testing.T) {
	m := newMaps(t, sizes{killServices, 4 * killServices, 32 * killServices})
	s := open(t, m)
	commit(t, s, all(killServices, 1, 5))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, m, killServices, 0, 0)
	stop := r.read(t, 1)
	for range *kills {
		killOne(t, m)
	}
	c := stop()
	t.Logf("%d writers were killed, %v", *kills, c)
	if c.bad() != 0 {
		t.Error(c)
	}
	s = open(t, m)
	version := content(t, s)[keyOf(0)].Affinity
	for key, v := range content(t, s) {
		if v.Affinity != version {
			t.Errorf("%v has version %d, another one %d", key, v.Affinity, version)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// killOne starts a writer, waits until it has committed, and kills it some moment later.
func killOne(t *testing.T, m *Maps) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	for _, x := range append([]*ebpf.Map{m.Active}, m.Stored[:]...) {
		fd, err := unix.FcntlInt(uintptr(x.FD()), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), "map")
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	if !said.Scan() || said.Text() != "committed" {
		t.Errorf("the writer said %q", said.Text())
	}
	go func() { // so that it never waits for the reader of what it says
		for said.Scan() {
		}
	}()
	time.Sleep(time.Duration(rand.IntN(40_000)) * time.Microsecond)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
}
