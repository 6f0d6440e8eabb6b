// Package programs builds the commands below e2e/cmd, and planec's own, for the
// tests to run.
package programs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Kubernetes builds one of the programs of e2e/cmd (etcd, kube-apiserver or
// kube-proxy) and returns its path. It takes minutes, so it is done once for
// each set of versions and kept in the user's cache directory.
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
// directory; the go command's own cache makes that quick.
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

// moduleDir is the directory of e2e's go.mod: tests run in or below it.
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

// kept returns the program of these versions, which is built if it is not there.
func kept(module, name string, logf func(string, ...any)) (string, error) {
	key, err := versions(module, name)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "planec-e2e")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// Tests of several packages, and of several checkouts, want it at once.
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	path := filepath.Join(dir, name+"-"+key)
	now := time.Now()
	if err := os.Chtimes(path, now, now); err == nil {
		return path, nil
	}
	stamp, err := stamp(module)
	if err == nil {
		err = build(module, "./cmd/"+name, path+".new", stamp)
	}
	if err != nil {
		return "", err
	}
	logf("built %s in %v", name, time.Since(now).Round(time.Second))
	return path, errors.Join(os.Rename(path+".new", path), forget(dir))
}

// versions stands for what the program is made of.
func versions(module, name string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH)
	for _, file := range []string{"go.mod", "go.sum", "cmd/" + name + "/main.go", "internal/programs/programs.go"} {
		b, err := os.ReadFile(filepath.Join(module, file))
		if err != nil {
			return "", err
		}
		fmt.Fprintln(sum, file, len(b))
		sum.Write(b)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// unused is how long a program may lie unused before another build removes it.
const unused = 14 * 24 * time.Hour

func forget(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && time.Since(info.ModTime()) > unused && d.Name() != "lock" {
			err = os.Remove(path)
		}
		return err
	})
}

// stamp tells Kubernetes' programs their version, as its own build does: clients
// look at what an API server says of itself.
func stamp(module string) (linker string, err error) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes")
	cmd.Dir = module
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%v: %w", cmd, err)
	}
	version := strings.TrimSpace(string(out))
	const at = "-X k8s.io/component-base/version."
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(parts) < 3 {
		return "", fmt.Errorf("version of k8s.io/kubernetes: %q", version)
	}
	return at + "gitVersion=" + version + " " + at + "gitMajor=" + parts[0] + " " + at + "gitMinor=" + parts[1], nil
}

// build makes a program without symbols, which spares time to link. All else is
// as the go command does it by default, so that the packages which the tests
// import too are compiled once for both.
func build(dir, pkg, out, linker string) error {
	cmd := exec.Command("go", "build", "-ldflags=-s -w "+linker, "-o", out, pkg)
	cmd.Dir = dir
	if printed, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, printed)
	}
	return nil
}
