package localport_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/planec/planec/internal/agent/localport"
	"github.com/planec/planec/ir"
)

// endpoint is a server that handles connections as it is told.
func endpoint(t *testing.T, handle func(*net.TCPConn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c.(*net.TCPConn))
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// names answers with a name.
func names(t *testing.T, name string) netip.AddrPort {
	return endpoint(t, func(c *net.TCPConn) { _, _ = io.WriteString(c, name) })
}

// free returns a port that is unused in both families.
func free(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

func port(number uint16, service string, endpoints ...netip.AddrPort) localport.Port {
	return localport.Port{Family: ir.IPv4, Number: number, Service: ir.ServicePort{Namespace: "shop", Name: service, Protocol: ir.TCP}, Endpoints: endpoints}
}

func dial(number uint16) (*net.TCPConn, error) {
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(number))), 5*time.Second)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), c.SetDeadline(time.Now().Add(10 * time.Second))
}

// ask returns the answer to a connection.
func ask(number uint16) (string, error) {
	c, err := dial(number)
	if err != nil {
		return "", err
	}
	defer c.Close()
	text, err := io.ReadAll(c)
	return string(text), err
}

func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 400 {
		if so() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("it never came about: %s", what)
}

// TestEndpoints wants every endpoint to be used, the listener to stay while
// endpoints change, and no listener without endpoints.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	var opened, listening atomic.Int32
	f := localport.Forwarder{Listening: func(_ ir.Family, n int) {
		listening.Add(int32(n))
		if n > 0 {
			opened.Add(1)
		}
	}}
	defer f.Close()
	at, a, b := free(t), names(t, "a"), names(t, "b")
	f.Set([]localport.Port{port(at, "web", a, b)})
	seen := make(map[string]int)
	for range 60 {
		got, err := ask(at)
		if err != nil {
			t.Fatal(err)
		}
		seen[got]++
	}
	if seen["a"] == 0 || seen["b"] == 0 || len(seen) != 2 {
		t.Errorf("answers are %v", seen)
	}
	f.Set([]localport.Port{port(at, "web", b)})
	for range 10 {
		if got, err := ask(at); got != "b" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if opened.Load() != 1 || listening.Load() != 1 {
		t.Errorf("%d listeners were opened, %d are", opened.Load(), listening.Load())
	}
	f.Set([]localport.Port{port(at, "web")})
	if _, err := ask(at); !errors.Is(err, syscall.ECONNREFUSED) || listening.Load() != 0 {
		t.Errorf("without endpoints: %v, %d listeners", err, listening.Load())
	}
}

// TestAffinity wants the endpoint to stay while connections arrive within the
// timeout, and another one when it is removed or the timeout has passed.
func TestAffinity(t *testing.T) {
	t.Parallel()
	var f localport.Forwarder
	defer f.Close()
	at := free(t)
	var all []netip.AddrPort
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		all = append(all, names(t, name))
	}
	p := port(at, "web", all...)
	p.Affinity = time.Hour
	f.Set([]localport.Port{p})
	first, err := ask(at)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if got, err := ask(at); got != first || err != nil {
			t.Errorf("got %q, %v after %q", got, err, first)
		}
	}
	var others []netip.AddrPort
	for i, a := range all {
		if string(rune('a'+i)) != first {
			others = append(others, a)
		}
	}
	p.Endpoints = others
	f.Set([]localport.Port{p})
	second, err := ask(at)
	if err != nil || second == first {
		t.Errorf("got %q, %v after %q had gone", second, err, first)
	}
}

// TestHalfClose wants the end of one direction to be passed on while the other
// continues, in both directions.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	var f localport.Forwarder
	defer f.Close()
	sums, heard := free(t), free(t)
	rest := make(chan string, 1)
	f.Set([]localport.Port{
		port(sums, "sums", endpoint(t, func(c *net.TCPConn) {
			text, _ := io.ReadAll(c)
			_, _ = io.WriteString(c, strconv.Itoa(len(text)))
		})),
		port(heard, "heard", endpoint(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "hello")
			_ = c.CloseWrite()
			text, _ := io.ReadAll(c)
			rest <- string(text)
		})),
	})
	c, err := dial(sums)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const much = 3 << 20
	if _, err := c.Write(make([]byte, much)); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != strconv.Itoa(much) || err != nil {
		t.Errorf("got %q, %v", got, err)
	}

	d, err := dial(heard)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got, err := io.ReadAll(d); string(got) != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := io.WriteString(d, "and back"); err != nil {
		t.Fatal(err)
	}
	d.Close()
	if got := <-rest; got != "and back" {
		t.Errorf("the endpoint heard %q", got)
	}
}

// TestBroken wants a reset if a connection breaks or no endpoint accepts it: it
// must not look like the end of an answer.
func TestBroken(t *testing.T) {
	t.Parallel()
	var f localport.Forwarder
	defer f.Close()
	broken, nothing := free(t), free(t)
	f.Set([]localport.Port{
		port(broken, "broken", endpoint(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "half of")
			_ = c.SetLinger(0)
		})),
		port(nothing, "nothing", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), free(t))),
	})
	for _, at := range []uint16{broken, nothing} {
		if got, err := ask(at); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("port %d: got %q, %v", at, got, err)
		}
	}
}

// TestServiceGoes wants connections to end with their Service, even if another
// Service then has the port.
func TestServiceGoes(t *testing.T) {
	t.Parallel()
	var f localport.Forwarder
	defer f.Close()
	at := free(t)
	waits := endpoint(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	f.Set([]localport.Port{port(at, "one", waits)})
	for _, next := range [][]localport.Port{{port(at, "two", waits)}, nil} {
		c, err := dial(at)
		if err != nil {
			t.Fatal(err)
		}
		// The Service goes while the connection is there, not before it is taken.
		if _, err := io.WriteString(c, "x"); err != nil {
			t.Fatal(err)
		}
		f.Set(next)
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("then %v: %v", next, err)
		}
		c.Close()
	}
	if _, err := ask(at); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("without a Service: %v", err)
	}
}

// TestTakenPort wants a port that another process uses to be reported and counted,
// and to be served once it is free.
func TestTakenPort(t *testing.T) {
	t.Parallel()
	var failures, listening atomic.Int32
	said := make(chan error, 16)
	f := localport.Forwarder{
		Said:      func(p localport.Port, at string, err error) { said <- err },
		Failed:    func(ir.Family) { failures.Add(1) },
		Listening: func(_ ir.Family, n int) { listening.Add(int32(n)) },
	}
	defer f.Close()
	other, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	at := other.Addr().(*net.TCPAddr).AddrPort().Port()
	f.Set([]localport.Port{port(at, "web", names(t, "a"))})
	if err := <-said; !errors.Is(err, syscall.EADDRINUSE) || failures.Load() == 0 || listening.Load() != 0 {
		t.Errorf("said is %v after %d failures, with %d listeners", err, failures.Load(), listening.Load())
	}
	other.Close()
	eventually(t, "the port is served", func() bool { got, err := ask(at); return got == "a" && err == nil })
	if err := <-said; err != nil || listening.Load() != 1 {
		t.Errorf("said is %v, with %d listeners", err, listening.Load())
	}
}

// TestBound wants the connections of one port to be limited, and other ports to be
// served.
func TestBound(t *testing.T) {
	t.Parallel()
	var f localport.Forwarder
	defer f.Close()
	full, other := free(t), free(t)
	waits := endpoint(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, ".")
		_, _ = io.Copy(io.Discard, c)
	})
	f.Set([]localport.Port{port(full, "full", waits), port(other, "other", names(t, "a"))})
	var served []*net.TCPConn
	refused := 0
	for range 300 {
		c, err := dial(full)
		if errors.Is(err, syscall.ECONNRESET) {
			refused++ // before the dialer looked
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Read(make([]byte, 1)); err != nil {
			refused++
			continue
		}
		served = append(served, c)
	}
	if len(served) != 256 || refused != 44 {
		t.Errorf("%d connections are served, %d refused", len(served), refused)
	}
	if got, err := ask(other); got != "a" || err != nil {
		t.Errorf("the other port: %q, %v", got, err)
	}
	served[0].Close()
	eventually(t, "there is room again", func() bool {
		c, err := dial(full)
		if err != nil {
			return false
		}
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
		return err == nil
	})
}

// TestIPv6 wants ports of IPv6 on ::1, beside the same ones of IPv4.
func TestIPv6(t *testing.T) {
	t.Parallel()
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("the machine has no ::1")
	} else {
		l.Close()
	}
	var f localport.Forwarder
	defer f.Close()
	at := free(t)
	six := port(at, "web", names(t, "six"))
	six.Family = ir.IPv6
	f.Set([]localport.Port{port(at, "web", names(t, "four")), six})
	for host, want := range map[string]string{"127.0.0.1": "four", "::1": "six"} {
		c, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(int(at))))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got, err := io.ReadAll(c); string(got) != want || err != nil {
			t.Errorf("%s: %q, %v", host, got, err)
		}
	}
}
