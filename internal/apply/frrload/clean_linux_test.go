package frrload

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/planec/planec/backends/frr"
)

// TestCleanAgain: while FRR runs and its reload fails, cleaning fails each time; it does not say
// that nothing is left. Without FRR there is nothing that announces, and the file goes.
func TestCleanAgain(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	f := &FRR{Dir: t.TempDir(), Run: bin, Reload: filepath.Join(bin, "reload")}
	ends := func(name, code string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\nexit "+code+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write := func() {
		t.Helper()
		if err := f.Write([]byte(frr.Header + "a\n")); err != nil {
			t.Fatal(err)
		}
	}
	write()
	ends("vtysh", "0")
	ends("reload", "1")
	for range 2 {
		removed, err := f.Clean(t.Context())
		if b, _ := f.Read(); err == nil || removed != nil || string(b) != frr.Nothing {
			t.Errorf("%q %v %q", removed, err, b)
		}
	}
	ends("reload", "0")
	if would, err := f.ToClean(); err != nil || len(would) != 1 {
		t.Errorf("%q %v", would, err)
	}
	if removed, err := f.Clean(t.Context()); err != nil || len(removed) != 1 {
		t.Errorf("%q %v", removed, err)
	}
	write()
	ends("vtysh", "1")
	ends("reload", "1")
	if removed, err := f.Clean(t.Context()); err == nil || removed != nil {
		t.Errorf("%q %v", removed, err)
	}
	if b, err := f.Read(); b != nil || err != nil {
		t.Errorf("%q %v", b, err)
	}
}
