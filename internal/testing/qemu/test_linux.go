package qemu

import (
	"context"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/guest"
)

// longest bounds the tests of a package in one kernel. Nothing waits for it: a test that hangs is
// as bad as one that fails.
const longest = time.Hour

// Test runs the named tests of this binary in each kernel of [Require], with the configuration, whose
// arguments come after the names. All of them must run and pass there.
func Test(t *testing.T, c guest.Config, names ...string) {
	t.Helper()
	c.Args = append(guest.Arguments(names...), c.Args...)
	for _, k := range Require(t) {
		t.Run(k.Version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), longest)
			defer cancel()
			r, err := k.Run(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			guest.Passed(t, r, names...)
		})
	}
}
