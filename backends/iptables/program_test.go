package iptables_test

import (
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/ir"
)

// emit returns the files by name.
func emit(t testing.TB, p *ir.Program, opts backends.Options) map[string]string {
	t.Helper()
	if err := ir.Verify(p); err != nil {
		t.Fatalf("the test's program is wrong: %v", err)
	}
	a, err := iptables.New(opts).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string, len(a.Files))
	for _, f := range a.Files {
		files[f.Name] = string(f.Data)
	}
	return files
}
