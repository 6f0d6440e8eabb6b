package qemu

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// Variable names the directory of kernels. Without it there is nothing to do: a lane of its own
// sets it.
const Variable = "PLANEC_KERNELS"

// Require returns the kernels of the directory that the environment names, or skips the test
// without one. A directory that cannot be used fails the test.
func Require(t testing.TB) []Kernel {
	t.Helper()
	dir := os.Getenv(Variable)
	if dir == "" {
		t.Skipf("%s names no directory of kernels: make kernels runs this", Variable)
	}
	kernels, err := Kernels(dir)
	if err != nil {
		t.Fatal(err)
	}
	return kernels
}

func find() (string, error) {
	if runtime.GOARCH != "amd64" {
		return "", errors.New("only kernels for x86-64 are run")
	}
	program, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		return "", fmt.Errorf("%w (Debian: apt-get install qemu-system-x86)", err)
	}
	return program, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
