// Package programs builds the commands below e2e/cmd, and planec's own, for the
// tests.
package programs

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Kubernetes builds one of the programs of e2e/cmd (etcd, kube-apiserver or
// kube-proxy) and returns its path. A build takes minutes, so the result of
// each set of versions is kept in the user's cache directory.
func Kubernetes(t testing.TB, name string) string {
	t.Helper()
	module, err := moduleDir()
	if err != nil {
		t.Fatal(err)
	}
	path, err := kept(module, name, t.Logf)
	if err != nil {
		t.Fatalf("build %s: %v", name, err)
	}
	return path
}

// Own builds a command of planec itself, such as "planec-agent", into the test's
// directory; the go command's cache makes that fast.
func Own(t testing.TB, name string) string {
	t.Helper()
	module, err := moduleDir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := build(filepath.Dir(module), "./cmd/"+name, path, ""); err != nil {
		t.Fatal(err)
	}
	return path
}

// moduleDir returns the directory of e2e's go.mod: tests run in or below it.
func moduleDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		if up := filepath.Dir(dir); up != dir {
			dir = up
			continue
		}
		return "", fmt.Errorf("no go.mod above the working directory: %w", err)
	}
}
