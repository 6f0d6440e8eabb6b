package uml

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const defaultMemory = 768

// Run runs this binary inside, with other arguments. An error means that it did
// not run to its end; Result.Code tells whether a test failed.
func Run(ctx context.Context, c Config) (Result, error) {
	m, err := find()
	if err != nil {
		return Result{}, err
	}
	dir, err := os.MkdirTemp("", "planec-uml-")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(dir)
	if err := m.prepare(dir, c); err != nil {
		return Result{}, err
	}
	start := time.Now()
	output, runErr := m.boot(ctx, dir, c)
	r := Result{Output: output, Ready: time.Since(start)}
	var end ending
	if err := readJSON(filepath.Join(dir, "out", resultFile), &end); err != nil {
		return r, fmt.Errorf("user mode linux did not come to its end: %w (%v)\n%s", err, runErr, output)
	}
	r.Code, r.Took = end.Code, end.Took
	r.Ready -= r.Took
	if len(end.Problems) > 0 {
		return r, fmt.Errorf("user mode linux: %s\n%s", strings.Join(end.Problems, "; "), output)
	}
	r.Files, err = readFiles(filepath.Join(dir, "out"))
	return r, err
}

// prepare writes the shared directory.
func (m machine) prepare(dir string, c Config) error {
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	out := filepath.Join(dir, "out")
	if err := os.Mkdir(out, 0o700); err != nil {
		return err
	}
	b, err := json.Marshal(settings{Config: c, Binary: binary, ModuleDir: m.modules})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, configFile), b, 0o600); err != nil {
		return err
	}
	return m.compileShim(dir)
}

// boot runs the kernel to its end and returns its output.
func (m machine) boot(ctx context.Context, dir string, c Config) (string, error) {
	binary, err := os.Executable()
	if err != nil {
		return "", err
	}
	memory := c.Memory
	if memory == 0 {
		memory = defaultMemory
	}
	out := &bytes.Buffer{}
	cmd := exec.CommandContext(ctx, m.kernel,
		fmt.Sprintf("mem=%dM", memory), "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro",
		"init="+binary, "quiet", "con0=null,fd:1", "con=null", "ssl=null",
		"uml_dir="+dir+"/", "umid=planec", dirVariable+"="+filepath.Join(dir, "out"))
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
	err = cmd.Run()
	return out.String(), err
}

func readJSON(path string, into any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// readFiles returns the files that the binary left, without those of this package.
func readFiles(dir string) (map[string][]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, e := range entries {
		if e.Name() == configFile || e.Name() == resultFile || !e.Type().IsRegular() {
			continue
		}
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
