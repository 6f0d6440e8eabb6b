package programs

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// Chart returns a function that makes manifests of planec's own chart with values in YAML, as
// `helm template` does. Helm is in a module of its own, so a program of it does that.
func Chart(t testing.TB) func(values []byte) ([]byte, error) {
	t.Helper()
	module, err := moduleDir()
	if err != nil {
		t.Fatal(err)
	}
	template := filepath.Join(t.TempDir(), "template")
	if err := build(filepath.Join(module, "charts"), "./cmd/template", template, ""); err != nil {
		t.Fatal(err)
	}
	chart := filepath.Join(filepath.Dir(module), "deploy", "chart", "planec")
	return func(values []byte) ([]byte, error) {
		var manifest, said bytes.Buffer
		cmd := exec.Command(template, chart)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(values), &manifest, &said
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, &said)
		}
		return manifest.Bytes(), nil
	}
}
