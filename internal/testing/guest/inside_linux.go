package guest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Inside returns the name of the machine that this process runs in; "" is none.
func Inside() string { return os.Getenv(insideVariable) }

// Main is a TestMain for packages whose tests use [Run]. It runs the tests, both
// on the machine and inside.
func Main(m *testing.M) {
	Init()
	os.Exit(m.Run())
}

// Init must be the first call of a TestMain that does more than Main. It does not
// return in the init process inside, or in a helper of the kernel.
func Init() {
	share, given := givenShare()
	switch {
	case os.Getpid() == 1 && given:
		initProcess(share)
	case len(os.Args) == 4 && os.Args[1] == "-q" && os.Args[2] == "--" && exists(moduleDirFile):
		os.Exit(loadForKernel(os.Args[3]))
	}
}

// initProcess is PID 1: it sets up the system, runs the binary, and powers off. It
// does not return.
func initProcess(share Share) {
	end := ending{Code: 125}
	s, err := setUp(share)
	if err != nil {
		end.Problems = append(end.Problems, err.Error())
	} else {
		start := time.Now()
		end.Code, err = runBinary(s)
		end.Took = time.Since(start)
		if err != nil {
			end.Problems = append(end.Problems, err.Error())
		}
	}
	if b, err := json.Marshal(end); err != nil {
		fmt.Println("planec-guest:", err)
	} else if err := os.WriteFile(filepath.Join(OutDir, resultFile), b, 0o600); err != nil {
		fmt.Println("planec-guest:", err)
	}
	syscall.Sync()
	if err := syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Println("planec-guest: power off:", err)
	}
	select {}
}

// mounts are the mounts in addition to the read-only root.
var mounts = []struct{ source, target, kind, data string }{
	{"proc", "/proc", "proc", ""},
	{"sysfs", "/sys", "sysfs", ""},
	{"devtmpfs", "/dev", "devtmpfs", ""},
	{"tmpfs", "/run", "tmpfs", ""},
}

// cgroups is where the file systems of this kind are by custom. The machine may lack the
// directory, and a kernel the kind.
const cgroups = "/sys/fs/cgroup"

func setUp(share Share) (settings, error) {
	var s settings
	if err := share.root(); err != nil {
		return s, err
	}
	for _, m := range mounts {
		if err := syscall.Mount(m.source, m.target, m.kind, 0, m.data); err != nil && err != syscall.EBUSY {
			return s, fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	if exists(cgroups) {
		_ = syscall.Mount("cgroup2", cgroups, "cgroup2", 0, "") // tests that need it say so
	}
	if err := share.out(); err != nil {
		return s, err
	}
	if err := readJSON(filepath.Join(OutDir, configFile), &s); err != nil {
		return s, err
	}
	return s, setUpModules(s)
}

// runBinary runs the binary and returns its exit status.
func runBinary(s settings) (int, error) {
	cmd := exec.Command(s.Binary, s.Args...)
	cmd.Dir = cmp.Or(s.Dir, "/run")
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/run", "TMPDIR=/run", insideVariable + "=" + s.Machine, "CI=true"}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return 127, err
	}
	return cmd.ProcessState.ExitCode(), nil
}
