package dataplane_test

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/testing/testkit"
)

// worker is a thread in the namespace of a rig's node, beside the rig's own, so
// that connections can be made meanwhile.
type worker struct{ work chan func() }

func newWorker(t testing.TB, r *testkit.Rig) *worker {
	t.Helper()
	w := &worker{work: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		ready <- unix.Setns(int(r.NodeNamespace().Fd()), unix.CLONE_NEWNET)
		for f := range w.work {
			f()
		}
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(w.work) })
	return w
}

func (w *worker) do(f func() error) error {
	done := make(chan error, 1)
	w.work <- func() { done <- f() }
	return <-done
}
