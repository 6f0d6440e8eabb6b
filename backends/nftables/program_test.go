package nftables

import (
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

func emit(t testing.TB, p *ir.Program, opts backends.Options) string {
	t.Helper()
	if err := ir.Verify(p); err != nil {
		t.Fatalf("the test's program is wrong: %v", err)
	}
	return emitted(t, New(opts), p)
}

// emitBeside emits the rules beside programs.
func emitBeside(t testing.TB, p *ir.Program, opts backends.Options) string {
	t.Helper()
	return emitted(t, Beside(opts), p)
}

func emitted(t testing.TB, b *Backend, p *ir.Program) string {
	t.Helper()
	a, err := b.Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(a.Files[0].Data)
}
