package uml

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed shim/ptrace.c
var shimSource []byte

const shimFile = "shim.so"

// machine has the paths of the kernel and the required programs.
type machine struct {
	kernel, modules string
	// compiler is "" if there is none and none is needed.
	compiler string
}

// Require skips the test if User Mode Linux or a named program is missing. In CI
// (CI=true) the test fails instead, so that a lane cannot pass without running its
// tests.
func Require(t testing.TB, tools ...string) {
	t.Helper()
	_, err := find()
	for _, tool := range tools {
		if _, missing := exec.LookPath(tool); missing != nil {
			err = errors.Join(err, missing)
		}
	}
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI=true, but this machine cannot run tests in User Mode Linux: %v", err)
	}
	t.Skipf("SKIPPED, NOTHING WAS TESTED: this machine cannot run tests in User Mode Linux: %v", err)
}

func find() (machine, error) {
	kernel, err := exec.LookPath("linux.uml")
	if err != nil {
		return machine{}, fmt.Errorf("%w (Debian: apt-get install user-mode-linux)", err)
	}
	version, err := exec.Command(kernel, "--version").Output()
	if err != nil {
		return machine{}, fmt.Errorf("%s --version: %w", kernel, err)
	}
	m := machine{kernel: kernel, modules: filepath.Join("/usr/lib/uml/modules", strings.TrimSpace(string(version)))}
	if !exists(filepath.Join(m.modules, "modules.dep")) {
		return m, fmt.Errorf("no modules of %s in %s", kernel, m.modules)
	}
	for _, name := range []string{"cc", "gcc", "clang"} {
		if path, err := exec.LookPath(name); err == nil {
			m.compiler = path
			return m, nil
		}
	}
	if needsShim() {
		return m, errors.New("this processor's registers need a shim, and there is no C compiler (Debian: apt-get install gcc libc6-dev)")
	}
	return m, nil
}

// needsShim reports whether the processor is known to have more registers than
// User Mode Linux supports.
func needsShim() bool {
	info, err := os.ReadFile("/proc/cpuinfo")
	return err != nil || bytes.Contains(info, []byte(" amx_"))
}

// compileShim compiles the shim if a compiler exists, even if the shim is not
// needed: it then has no effect.
func (m machine) compileShim(dir string) error {
	if m.compiler == "" {
		return nil
	}
	cmd := exec.Command(m.compiler, "-O2", "-shared", "-fPIC", "-x", "c", "-o", filepath.Join(dir, shimFile), "-")
	cmd.Stdin = bytes.NewReader(shimSource)
	if out, err := cmd.CombinedOutput(); err != nil && needsShim() {
		return fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return nil
}
