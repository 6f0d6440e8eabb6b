package qemu_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/guest"
	"github.com/planec/planec/internal/testing/qemu"
)

func TestMain(m *testing.M) { guest.Main(m) }

// TestRun runs TestInside in each kernel and reads what it left.
func TestRun(t *testing.T) {
	for _, k := range qemu.Require(t) {
		t.Run(k.Version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			r, err := k.Run(ctx, guest.Config{Modules: []string{"ip_vs", "dummy"}, Args: []string{"-test.run=^TestInside$", "-test.v"}})
			if err != nil {
				t.Fatal(err)
			}
			if r.Code != 0 || !strings.Contains(r.Output, "--- PASS: TestInside") {
				t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
			}
			if got := string(r.Files["hello"]); !strings.Contains(got, "ip_vs") || !strings.Contains(got, k.Version) {
				t.Errorf("not the modules of this kernel: %q", got)
			}
			t.Logf("ready in %v, ran for %v", r.Ready, r.Took)
			if _, err := k.Run(ctx, guest.Config{Modules: []string{"no-such-module"}}); err == nil || !strings.Contains(err.Error(), "no-such-module") {
				t.Errorf("a module that there is not: %v", err)
			}
			short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
			defer cancel()
			if _, err := k.Run(short, guest.Config{}); err == nil {
				t.Error("no error when the time is over")
			}
		})
	}
}

func TestInside(t *testing.T) {
	if qemu.Inside() == "" {
		t.Skip("TestRun runs it")
	}
	modules, err := os.ReadFile("/proc/modules")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(guest.OutDir, "hello"), append(modules, qemu.Inside()...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/etc/planec-guest", nil, 0o600); err == nil {
		t.Error("the machine's files can be written")
	}
}
