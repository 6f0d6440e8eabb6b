package programs

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// SkewVariable names the file with the clock offset of a [Skewed] program, in
// seconds. The program reads it at SIGUSR1.
const SkewVariable = "PLANEC_E2E_SKEW"

// Skewed builds a command of planec itself whose wall clock can be moved while
// it runs. Nothing else can do that for a single process: a time namespace only
// moves the monotonic clocks, and a static program has no library to preload.
// So this build patches time.Now in the standard library. It recompiles
// everything that imports it, which takes minutes the first time.
func Skewed(t testing.TB, name string) string {
	t.Helper()
	path, err := skewed(t.TempDir(), name)
	if err != nil {
		t.Fatalf("build %s with a clock of its own: %v", name, err)
	}
	return path
}

func skewed(dir, name string) (string, error) {
	module, err := moduleDir()
	if err != nil {
		return "", err
	}
	own := filepath.Dir(module)
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	timeGo := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(timeGo)
	if err != nil {
		return "", err
	}
	const now = "sec, nsec, mono := runtimeNow()\n\tif mono == 0"
	patched := strings.Replace(string(text), now, "sec, nsec, mono := runtimeNow()\n\tsec += Skew\n\tif mono == 0", 1)
	if patched == string(text) {
		return "", fmt.Errorf("%s: time.Now of %s is not as expected", timeGo, runtime.Version())
	}
	overlay := map[string]map[string]string{"Replace": {}}
	for path, text := range map[string]string{
		timeGo: patched + "\n// Skew is how many seconds Now is off.\nvar Skew int64\n",
		filepath.Join(own, "cmd", name, "skew_linux.go"): listener,
	} {
		file := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", err
		}
		overlay["Replace"][path] = file
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	file, out := filepath.Join(dir, "overlay.json"), filepath.Join(dir, name)
	if err := os.WriteFile(file, list, 0o600); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-overlay="+file, "-o", out, "./cmd/"+name)
	cmd.Dir = own
	if printed, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", cmd, err, printed)
	}
	return out, nil
}

// listener moves the clock on a signal.
const listener = `package main

import (
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func init() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1)
	go func() {
		for range told {
			text, _ := os.ReadFile(os.Getenv("` + SkewVariable + `"))
			time.Skew, _ = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		}
	}()
}
`
