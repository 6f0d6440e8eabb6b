package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace in which a test runs programs and reaches
// their servers. It is safe for concurrent use.
type Namespace struct {
	file   *os.File
	work   chan func()
	closed chan struct{}
	close  sync.Once
}

// In opens the namespace of a file, such as a rig's NodeNamespace, until the
// test ends. That kills programs that still run in it.
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

// run is the thread that starts the programs. The kernel sends them SIGKILL
// when this thread ends (prctl(2), PR_SET_PDEATHSIG), so it lives as long as
// the namespace and dies with the test's process.
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

// enter moves the calling goroutine's thread into the namespace permanently;
// the runtime ends the thread with the goroutine.
func (n *Namespace) enter() error {
	runtime.LockOSThread()
	if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", n.file.Name(), err)
	}
	return nil
}

var errClosed = errors.New("the namespace is closed: the test is over")

// Do runs f on the namespace's thread. Sockets and processes made there belong
// to the namespace. f must not block.
func (n *Namespace) Do(f func() error) error {
	done := make(chan error, 1)
	select {
	case n.work <- func() { done <- f() }:
		return <-done
	case <-n.closed:
		return errClosed
	}
}

// Dial connects from inside the namespace to a numeric address. Its signature
// fits net/http, client-go and grpc.
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
		// For a numeric address this goroutine dials itself, on its own thread.
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

// HTTP returns a client that connects from inside the namespace and uses each connection once.
func (n *Namespace) HTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: n.Dial, DisableKeepAlives: true}}
}

// Get returns the body of a URL's answer, which must be 200. token, if not empty, is a
// bearer token.
func Get(ctx context.Context, client *http.Client, url, token string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return string(text), err
}

// Run runs a command in the namespace to its end; an error has its output.
func (n *Namespace) Run(argv ...string) error {
	var out bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := n.Do(cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return fmt.Errorf("%v: %w\n%s", argv, err, out.Bytes())
	}
	return nil
}
