package live_test

import (
	"testing"

	"github.com/planec/planec/ir/podnet"
)

// TestKilled ends an apply after each of its steps, for every change of mode. The next apply
// makes the kernel right, and a route that both modes have is there all the time.
func TestKilled(t *testing.T) {
	w := newWorld(t, podnet.Settings{})
	w.Near(1)
	w.Near(2)
	w.begin()
	n := w.Nodes[0]
	modes := []podnet.Mode{podnet.Native, whole()}
	for _, from := range modes {
		for _, to := range append(modes, auto()) {
			for killed := 0; ; killed++ {
				w.settings.Mode = from
				if err := w.plan(n).Apply(); err != nil {
					t.Fatal(err)
				}
				w.settings.Mode = to
				all, err := w.plan(n).ApplySome(killed)
				if err != nil {
					t.Fatalf("%s to %s, step %d: %v", from, to, killed, err)
				}
				for _, c := range w.Nodes[1].CIDRs() {
					if out, err := n.Run("ip", "-o", "route", "get", c.Addr().Next().Next().String()); err != nil {
						t.Errorf("%s to %s, killed after %d of %d steps: %s %v", from, to, killed, all, out, err)
					}
				}
				if err := w.plan(n).Apply(); err != nil {
					t.Fatal(err)
				}
				if steps := w.plan(n).Steps(); len(steps) > 0 {
					t.Errorf("%s to %s, killed after %d of %d steps: the next apply leaves %q", from, to, killed, all, steps)
				}
				if killed >= all {
					break
				}
			}
		}
	}
	if err := w.plan(w.Nodes[1]).Apply(); err != nil {
		t.Fatal(err)
	}
	w.right()
	w.clean()
}
