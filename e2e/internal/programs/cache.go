package programs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// kept returns the program of these versions, and builds it if it is missing.
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
	// Tests of several packages, and of several checkouts, may build it at the same time.
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

// versions identifies the sources of the program.
func versions(module, name string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH)
	for _, file := range []string{"go.mod", "go.sum", "cmd/" + name + "/main.go", "internal/programs/build.go"} {
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

// unused is how long a program may be unused before another build removes it.
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
