package uml

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Inside reports whether this process runs in User Mode Linux.
func Inside() bool { return os.Getenv(insideVariable) != "" }

// Main is a TestMain for packages whose tests use [Run]. It runs the tests, both
// on the machine and inside.
func Main(m *testing.M) {
	Init()
	os.Exit(m.Run())
}

// Init must be the first call of a TestMain that does more than Main. It does not
// return in the init process inside, or in a helper of the kernel.
func Init() {
	switch {
	case os.Getpid() == 1 && os.Getenv(dirVariable) != "":
		initProcess()
	case len(os.Args) == 4 && os.Args[1] == "-q" && os.Args[2] == "--" && exists(moduleDirFile):
		os.Exit(loadForKernel(os.Args[3]))
	}
}

// initProcess is PID 1: it sets up the system, runs the binary, and powers off. It
// does not return.
func initProcess() {
	end := ending{Code: 125}
	s, err := setUp()
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
		fmt.Println("planec-uml:", err)
	} else if err := os.WriteFile(filepath.Join(OutDir, resultFile), b, 0o600); err != nil {
		fmt.Println("planec-uml:", err)
	}
	syscall.Sync()
	if err := syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Println("planec-uml: power off:", err)
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

func setUp() (settings, error) {
	var s settings
	for _, m := range mounts {
		if err := syscall.Mount(m.source, m.target, m.kind, 0, m.data); err != nil && err != syscall.EBUSY {
			return s, fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	if err := os.Mkdir(OutDir, 0o700); err != nil {
		return s, err
	}
	if err := syscall.Mount("none", OutDir, "hostfs", 0, os.Getenv(dirVariable)); err != nil {
		return s, fmt.Errorf("mount %s: %w", OutDir, err)
	}
	if err := readJSON(filepath.Join(OutDir, configFile), &s); err != nil {
		return s, err
	}
	return s, setUpModules(s)
}

// runBinary runs the binary and returns its exit status.
func runBinary(s settings) (int, error) {
	cmd := exec.Command(s.Binary, s.Args...)
	cmd.Dir = "/run"
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/run", "TMPDIR=/run", insideVariable + "=1", "CI=true"}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return 127, err
	}
	return cmd.ProcessState.ExitCode(), nil
}
