package programs

import (
	"path/filepath"
	"testing"
)

// CoreDNS builds the real CoreDNS, which is in a module of its own, into the test's
// directory; the go command's cache makes that fast but for the first time.
func CoreDNS(t testing.TB) string {
	t.Helper()
	module, err := moduleDir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "coredns")
	if err := build(filepath.Join(module, "coredns"), "./cmd/coredns", path, ""); err != nil {
		t.Fatal(err)
	}
	return path
}
