package guest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Machine starts kernels.
type Machine interface {
	// Name names it in errors, and is what [Inside] returns.
	Name() string
	// ModuleDir has the modules of its kernel, with depmod's description.
	ModuleDir() string
	// Boot runs the kernel, with the binary as init, to its end, and returns what was printed. The
	// shared directory is out below dir, which it may use for itself.
	Boot(ctx context.Context, dir, binary string, c Config) (string, error)
}

// OutBelow returns the shared directory below the one that Boot gets.
func OutBelow(dir string) string { return filepath.Join(dir, "out") }

// Run runs this binary in a machine, with other arguments. An error means that it did
// not run to its end; Result.Code tells whether a test failed.
func Run(ctx context.Context, m Machine, c Config) (Result, error) {
	dir, err := os.MkdirTemp("", "planec-guest-")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(dir)
	binary, err := prepare(dir, m, c)
	if err != nil {
		return Result{}, err
	}
	start := time.Now()
	output, runErr := m.Boot(ctx, dir, binary, c)
	r := Result{Output: output, Ready: time.Since(start)}
	var end ending
	if err := readJSON(filepath.Join(OutBelow(dir), resultFile), &end); err != nil {
		return r, fmt.Errorf("%s did not come to its end: %w\n%s", m.Name(), errors.Join(err, runErr), output)
	}
	r.Code, r.Took = end.Code, end.Took
	r.Ready -= r.Took
	if len(end.Problems) > 0 {
		return r, fmt.Errorf("%s: %s\n%s", m.Name(), strings.Join(end.Problems, "; "), output)
	}
	r.Files, err = readFiles(OutBelow(dir))
	return r, err
}

// prepare writes the shared directory and returns the path of this binary.
func prepare(dir string, m Machine, c Config) (string, error) {
	binary, err := os.Executable()
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(OutBelow(dir), 0o700); err != nil {
		return "", err
	}
	b, err := json.Marshal(settings{Config: c, Binary: binary, ModuleDir: m.ModuleDir(), Machine: m.Name()})
	if err != nil {
		return "", err
	}
	return binary, os.WriteFile(filepath.Join(OutBelow(dir), configFile), b, 0o600)
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
	return !errors.Is(err, fs.ErrNotExist)
}
