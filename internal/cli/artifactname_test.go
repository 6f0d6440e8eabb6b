package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// TestBackendOfFiles finds the backend of a directory that has another name: the files of
// nftables are among those of eBPF.
func TestBackendOfFiles(t *testing.T) {
	for _, backend := range []string{"ebpf", "iptables", "ipvs", "nftables"} {
		names, err := fileNames(backend)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "rules")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		files, err := readFiles(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := backendOf(dir, files); got != backend || err != nil {
			t.Errorf("the files of %s are taken for those of %q: %v", backend, got, err)
		}
	}
}
