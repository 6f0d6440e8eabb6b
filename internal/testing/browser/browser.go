package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Run runs a script of node:test, with the variables of env ("NAME=value") besides.
// Without Node.js, npm or Chromium it skips the test and says so; with CI=true it fails.
func Run(t testing.TB, script string, env ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no browser is started")
	}
	node, chromium, err := programs()
	if err == nil {
		err = install()
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI=true, but pages cannot be tested: %v", err)
		}
		t.Skipf("SKIPPED, NOTHING WAS TESTED: %v (make tools)", err)
	}
	dir, err := folder()
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs(script)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "--test", "--test-reporter=spec", path)
	cmd.Env = append(append(os.Environ(), "PLANEC_BROWSER="+dir, "CHROMIUM="+chromium), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	t.Logf("%s", out)
}

// programs finds Node.js, npm and a browser; the variable CHROMIUM names another one.
func programs() (node, chromium string, err error) {
	if node, err = exec.LookPath("node"); err != nil {
		return "", "", err
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return "", "", err
	}
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if chromium, err = exec.LookPath(name); err == nil {
			return node, chromium, nil
		}
	}
	return "", "", errors.New("no chromium is on the PATH")
}

// folder is the folder of this package.
func folder() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "internal", "testing", "browser"), nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("no go.mod is above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// install fetches the packages of package-lock.json unless they are there. Packages
// of tests run at the same time, so each installs beside and moves what it has into
// place: the first one wins.
func install() error {
	dir, err := folder()
	if err != nil {
		return err
	}
	there := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(there); err == nil {
		return nil
	}
	tmp, err := os.MkdirTemp(dir, "node_modules-*")
	if err != nil {
		return fmt.Errorf("installing what drives the browser: %w", err)
	}
	defer os.RemoveAll(tmp) // what is left is in the way of nothing
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(tmp, name), b, 0o600)
		}
		if err != nil {
			return fmt.Errorf("installing what drives the browser: %w", err)
		}
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts")
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %.600s", err, out)
	}
	if err := os.Rename(filepath.Join(tmp, "node_modules"), there); err != nil {
		if _, gone := os.Stat(there); gone != nil {
			return fmt.Errorf("installing what drives the browser: %w", err)
		}
	}
	return nil
}
