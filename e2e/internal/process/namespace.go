package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace that a test runs programs in and reaches the
// servers of. It may be used by many goroutines at once.
type Namespace struct {
	file   *os.File
	work   chan func()
	closed chan struct{}
	close  sync.Once
}

// In opens the namespace that file stands for, such as a rig's NodeNamespace,
// until the test ends. Programs still running in it die then.
func In(t testing.TB, file *os.File) *Namespace {
	t.Helper()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("duplicate %s: %v", file.Name(), err)
	}
	n := &Namespace{file: os.NewFile(uintptr(fd), file.Name()), work: make(chan func()), closed: make(chan struct{})}
	entered := make(chan error)
	go n.run(entered)
	if err := <-entered; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.close.Do(func() { close(n.closed) })
	})
	return n
}

// run is the thread that starts the programs. They are sent SIGKILL when the
// thread that started them ends (prctl(2), PR_SET_PDEATHSIG), so it lives as
// long as the namespace, and dies with the test's process.
func (n *Namespace) run(entered chan<- error) {
	err := n.enter()
	entered <- err
	if err != nil {
		return
	}
	for {
		select {
		case f := <-n.work:
			f()
		case <-n.closed:
			n.file.Close()
			return
		}
	}
}

// enter moves the calling goroutine's thread into the namespace, for good: the
// runtime ends the thread with the goroutine.
func (n *Namespace) enter() error {
	runtime.LockOSThread()
	if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", n.file.Name(), err)
	}
	return nil
}

var errClosed = errors.New("the namespace is closed: the test is over")

// Do runs f on the namespace's thread. Sockets and processes made there belong
// to the namespace. It is for calls that do not wait.
func (n *Namespace) Do(f func() error) error {
	done := make(chan error, 1)
	select {
	case n.work <- func() { done <- f() }:
		return <-done
	case <-n.closed:
		return errClosed
	}
}

// Dial connects from inside the namespace to a numeric address. It has the shape
// that net/http, client-go and grpc want.
func (n *Namespace) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	select {
	case <-n.closed:
		return nil, errClosed
	default:
	}
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		// A numeric address is dialled by this goroutine, and so by its thread.
		err := n.enter()
		var conn net.Conn
		if err == nil {
			conn, err = new(net.Dialer).DialContext(ctx, network, address)
		}
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

// HTTP is a client whose connections start inside the namespace, each used once.
func (n *Namespace) HTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: n.Dial, DisableKeepAlives: true}}
}
