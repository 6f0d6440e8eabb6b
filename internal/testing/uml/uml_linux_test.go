package uml_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/uml"
)

func TestMain(m *testing.M) { uml.Main(m) }

// TestRun runs TestInside in the other kernel and reads what it left.
func TestRun(t *testing.T) {
	if uml.Inside() {
		t.Skip("this is the inside")
	}
	uml.Require(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := uml.Run(ctx, uml.Config{Modules: []string{"ip_vs", "dummy"}, Args: []string{"-test.run=^TestInside$", "-test.v"}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 || !strings.Contains(r.Output, "--- PASS: TestInside") {
		t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
	}
	if got := string(r.Files["hello"]); !strings.Contains(got, "ip_vs") {
		t.Errorf("no ip_vs in the modules of the kernel inside: %q", got)
	}
	t.Logf("ready in %v, ran for %v", r.Ready, r.Took)
	if r, err := uml.Run(ctx, uml.Config{Args: []string{"-test.run=^TestFails$"}}); err != nil || r.Code != 1 {
		t.Errorf("a test that fails: exit status %d, %v", r.Code, err)
	}
	if _, err := uml.Run(ctx, uml.Config{Modules: []string{"no-such-module"}}); err == nil || !strings.Contains(err.Error(), "no-such-module") {
		t.Errorf("a module that there is not: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if _, err := uml.Run(short, uml.Config{}); err == nil {
		t.Error("no error when the time is over")
	}
}

func TestInside(t *testing.T) {
	if !uml.Inside() {
		t.Skip("TestRun runs it")
	}
	b, err := os.ReadFile("/proc/modules")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(uml.OutDir, "hello"), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFails(t *testing.T) {
	if uml.Inside() {
		t.Fatal("as it should")
	}
}
