package listener_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/agent/listener"
)

const (
	most = 64
	each = 8
)

// serve serves "fine" on loopback and returns the address.
func serve(t *testing.T) (string, *listener.Gate) {
	t.Helper()
	l, err := listener.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := listener.NewGate(most, each)
	s := listener.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "fine") }), g, listener.WriteTimeout)
	done := make(chan error, 1)
	go func() { done <- s.Serve(g.Guard(l)) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String(), g
}

// dial connects from an address of loopback.
func dial(t *testing.T, to, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 5 * time.Second}
	c, err := d.Dial("tcp4", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// probe sends a request like a load balancer.
func probe(t *testing.T, to, from string) {
	t.Helper()
	c := dial(t, to, from)
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("a probe from %s: %v %v", from, res, err)
	}
	res.Body.Close()
}

// TestSlowClients has hundreds of connections, of one address and of many, with
// incomplete requests or idle after a request: a probe is answered at the same
// time, from a new address and from theirs.
func TestSlowClients(t *testing.T) {
	to, g := serve(t)
	for i := range 400 {
		from := "127.0.0.2"
		if i%2 == 0 {
			from = fmt.Sprintf("127.0.%d.%d", 1+i/200, 1+i%200)
		}
		c := dial(t, to, from)
		if i%3 == 0 {
			fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") // and then nothing
		} else {
			fmt.Fprintf(c, "GET / HTTP/1.1\r\nX-Slow: ")
		}
		if i%20 == 0 {
			probe(t, to, "127.0.0.1")
			probe(t, to, from)
		}
		if n := g.Len(); n > most {
			t.Fatalf("%d connections after %d", n, i)
		}
	}
}

// TestOneAddress wants an address that exceeds its share to lose only its own
// connections.
func TestOneAddress(t *testing.T) {
	to, g := serve(t)
	other := dial(t, to, "127.0.0.3")
	fmt.Fprintf(other, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	r := bufio.NewReader(other)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	for range 100 {
		dial(t, to, "127.0.0.2")
	}
	probe(t, to, "127.0.0.2")
	if n := g.Len(); n > each+1 {
		t.Errorf("%d connections, want %d at most", n, each+1)
	}
	fmt.Fprintf(other, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := http.ReadResponse(r, nil); err != nil {
		t.Errorf("the idle connection of another address: %v", err)
	}
}

// TestLargeRequests sends a body of 1 GiB, and endless headers: they are not read,
// and the first request is answered.
func TestLargeRequests(t *testing.T) {
	to, _ := serve(t)
	for _, c := range []struct{ name, head, answer string }{
		{"a body", fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 1<<30), "200"},
		{"a body in chunks", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n", "200"},
		{"headers", "GET / HTTP/1.1\r\nHost: x\r\nX: ", "431"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dial(t, to, "127.0.0.1")
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			answer := make(chan string, 1)
			go func() {
				line, _ := bufio.NewReader(conn).ReadString('\n')
				answer <- line
			}()
			io.WriteString(conn, c.head)
			part, sent := strings.Repeat("x", 64<<10), 0
			for sent < 1<<30 {
				n, err := io.WriteString(conn, part)
				if sent += n; err != nil {
					break
				}
			}
			if sent > 64<<20 {
				t.Errorf("%d bytes were taken", sent)
			}
			if got := <-answer; !strings.Contains(got, c.answer) {
				t.Errorf("answered is %q, want %s", got, c.answer)
			}
		})
	}
}

// TestIPv4Wildcard wants 0.0.0.0 to be IPv4 only.
func TestIPv4Wildcard(t *testing.T) {
	l, err := listener.Listen("0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if at := l.Addr().(*net.TCPAddr); at.IP.To4() == nil {
		t.Errorf("it listens on %v", at)
	}
	if c, err := net.Dial("tcp6", fmt.Sprintf("[::1]:%d", l.Addr().(*net.TCPAddr).Port)); err == nil {
		c.Close()
		t.Error("IPv6 is answered")
	}
}
