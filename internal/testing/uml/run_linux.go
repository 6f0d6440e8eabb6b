package uml

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/planec/planec/internal/testing/guest"
)

// Names that packages of tests use.
type (
	// Config describes the run inside.
	Config = guest.Config
	// Result is its result.
	Result = guest.Result
)

// OutDir is the directory inside in which the binary can leave files.
const OutDir = guest.OutDir

// name names this machine.
const name = "User Mode Linux"

// Inside reports whether this process runs in User Mode Linux.
func Inside() bool { return guest.Inside() == name }

// Run runs this binary inside, with other arguments: see [guest.Run].
func Run(ctx context.Context, c Config) (Result, error) {
	m, err := find()
	if err != nil {
		return Result{}, err
	}
	return guest.Run(ctx, m, c)
}

// Name implements [guest.Machine].
func (m machine) Name() string { return name }

// ModuleDir implements [guest.Machine].
func (m machine) ModuleDir() string { return m.modules }

// Boot implements [guest.Machine].
func (m machine) Boot(ctx context.Context, dir, binary string, c Config) (string, error) {
	if err := m.compileShim(dir); err != nil {
		return "", err
	}
	memory := c.Memory
	if memory == 0 {
		memory = guest.DefaultMemory
	}
	share := guest.Share{Out: guest.OutBelow(dir)}
	out := &bytes.Buffer{}
	cmd := exec.CommandContext(ctx, m.kernel, append([]string{
		fmt.Sprintf("mem=%dM", memory), "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro",
		"init=" + binary, "quiet", "con0=null,fd:1", "con=null", "ssl=null",
		"uml_dir=" + dir + "/", "umid=planec",
	}, share.CommandLine()...)...)
	cmd.Stdout, cmd.Stderr = out, out
	// The kernel's memory is a file, so TMPDIR must not be on a slow disk.
	cmd.Env = append(os.Environ(), "TMPDIR=/dev/shm")
	if shim := filepath.Join(dir, shimFile); exists(shim) {
		cmd.Env = append(cmd.Env, "LD_PRELOAD="+shim)
	}
	// The kernel's processes are processes of this machine and must end together.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	return out.String(), err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
