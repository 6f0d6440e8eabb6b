package health_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/planec/planec/internal/agent/health"
	"github.com/planec/planec/ir"
)

// free returns a port that is unused at some loopback addresses.
func free(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// said records the reports about places.
type said struct {
	mu  sync.Mutex
	now map[string]error
	all []string
}

func (s *said) tell(c ir.HealthCheck, at string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		s.now = make(map[string]error)
	}
	if s.all = append(s.all, c.Name); err == nil {
		delete(s.now, at)
		return
	}
	s.now[at] = err
}

func (s *said) places() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.now)
}

func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 400 {
		if so() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("it never came about: %s", what)
}

// answer queries a health check; the code is 0 if nothing listens.
func answer(t *testing.T, at string) (code int, body string, header http.Header) {
	t.Helper()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + at + "/anything")
	if errors.Is(err, syscall.ECONNREFUSED) {
		return 0, "", nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text), res.Header
}

func at(host string, port uint16) string {
	return netip.AddrPortFrom(netip.MustParseAddr(host), port).String()
}

func check(name string, port uint16, local int) ir.HealthCheck {
	return ir.HealthCheck{Family: ir.IPv4, Port: port, Namespace: "shop", Name: name, LocalEndpoints: local}
}

func scope(addrs ...string) (s ir.NodePortScope) {
	for _, a := range addrs {
		s.Addresses = append(s.Addresses, netip.MustParseAddr(a))
	}
	return s
}

// TestServices follows health checks through changes: their answers, their
// listening addresses, and that the ports of removed Services are free.
func TestServices(t *testing.T) {
	t.Parallel()
	healthy := true
	var s said
	services := health.Services{Healthy: func() bool { return healthy }, Said: s.tell}
	defer services.Close()
	one, two := free(t), free(t)
	services.Set([]ir.HealthCheck{check("a", one, 2), check("b", two, 0)}, scope("127.0.0.1", "127.0.0.2"), nil)
	code, body, header := answer(t, at("127.0.0.2", one))
	var b struct {
		Service             struct{ Namespace, Name string }
		LocalEndpoints      int
		ServiceProxyHealthy bool
	}
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	if code != 200 || b.Service.Namespace != "shop" || b.Service.Name != "a" || b.LocalEndpoints != 2 || !b.ServiceProxyHealthy {
		t.Errorf("a check with endpoints: %d %s", code, body)
	}
	if header.Get("Content-Type") != "application/json" || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("X-Load-Balancing-Endpoint-Weight") != "2" {
		t.Errorf("headers %v", header)
	}
	if code, body, _ := answer(t, at("127.0.0.1", two)); code != 503 || !strings.Contains(body, `"localEndpoints":0`) || !strings.Contains(body, `"serviceProxyHealthy":true`) {
		t.Errorf("a check without endpoints: %d %s", code, body)
	}
	if code, _, _ := answer(t, at("127.0.0.3", one)); code != 0 {
		t.Errorf("an address that is not the scope's: %d", code)
	}
	healthy = false
	if code, body, _ := answer(t, at("127.0.0.1", one)); code != 503 || !strings.Contains(body, `"serviceProxyHealthy":false`) {
		t.Errorf("a proxy that is not healthy: %d %s", code, body)
	}
	healthy = true
	// Another Service gets the port, which stays open all the time.
	services.Set([]ir.HealthCheck{check("c", one, 1)}, scope("127.0.0.1", "127.0.0.2"), nil)
	if code, body, _ := answer(t, at("127.0.0.1", one)); code != 200 || !strings.Contains(body, `"name":"c"`) {
		t.Errorf("after it became another Service's: %d %s", code, body)
	}
	if code, _, _ := answer(t, at("127.0.0.1", two)); code != 0 {
		t.Errorf("the port of a Service that is gone: %d", code)
	}
	services.Set([]ir.HealthCheck{check("c", one, 1)}, scope("127.0.0.3"), nil)
	if code, _, _ := answer(t, at("127.0.0.1", one)); code != 0 {
		t.Errorf("an address that is not the scope's any more: %d", code)
	}
	if code, _, _ := answer(t, at("127.0.0.3", one)); code != 200 {
		t.Errorf("the address that is: %d", code)
	}
	services.Close()
	if code, _, _ := answer(t, at("127.0.0.3", one)); code != 0 {
		t.Errorf("after the end: %d", code)
	}
	if s.places() != 0 {
		t.Errorf("left is %v", s.now)
	}
}

// TestPrefixes wants checks at the node's addresses in the prefixes, without
// loopback addresses unless a prefix covers everything.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	var s said
	services := health.Services{Healthy: func() bool { return true }, Said: s.tell}
	defer services.Close()
	own := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.250"), netip.MustParseAddr("198.51.100.250")}
	prefixes := func(texts ...string) (out ir.NodePortScope) {
		for _, p := range texts {
			out.Prefixes = append(out.Prefixes, netip.MustParsePrefix(p))
		}
		return out
	}
	port := free(t)
	// The addresses are not this machine's: what cannot be listened on says where that was tried.
	services.Set([]ir.HealthCheck{check("a", port, 1)}, prefixes("192.0.2.0/24", "127.0.0.0/8"), own)
	eventually(t, "the address of the prefix is tried", func() bool { return s.places() == 1 })
	if s.now[at("192.0.2.250", port)] == nil {
		t.Errorf("tried are %v", s.now)
	}
	services.Set([]ir.HealthCheck{check("a", port, 1)}, prefixes("192.0.2.0/24", "198.51.100.0/24"), own)
	eventually(t, "both are tried", func() bool { return s.places() == 2 })
	services.Set([]ir.HealthCheck{check("a", port, 1)}, prefixes("192.0.2.0/24", "0.0.0.0/0"), own)
	if code, _, _ := answer(t, at("127.0.0.77", port)); code != 200 || s.places() != 0 {
		t.Errorf("a prefix of everything: %d %v", code, s.now)
	}
	services.Set([]ir.HealthCheck{check("a", port, 1)}, prefixes("::/0"), own)
	if code, _, _ := answer(t, at("127.0.0.1", port)); code != 0 {
		t.Errorf("a prefix of the other family: %d", code)
	}
	// Both families at one port, each for itself.
	six := check("a", port, 3)
	six.Family = ir.IPv6
	services.Set([]ir.HealthCheck{check("a", port, 1), six}, prefixes("::/0", "0.0.0.0/0"), own)
	for host, want := range map[string]string{"127.0.0.1": `"localEndpoints":1`, "::1": `"localEndpoints":3`} {
		if code, body, _ := answer(t, at(host, port)); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", host, code, body)
		}
	}
}

// TestTakenPort has another process occupy a port at one of two addresses: the other
// address is served at once, this is reported, and both are served once the port is free.
func TestTakenPort(t *testing.T) {
	t.Parallel()
	var s said
	services := health.Services{Healthy: func() bool { return true }, Said: s.tell}
	defer services.Close()
	port := free(t)
	taken, err := net.Listen("tcp4", at("127.0.0.2", port))
	if err != nil {
		t.Fatal(err)
	}
	services.Set([]ir.HealthCheck{check("a", port, 1)}, scope("127.0.0.1", "127.0.0.2"), nil)
	if code, _, _ := answer(t, at("127.0.0.1", port)); code != 200 {
		t.Errorf("the address that is free: %d", code)
	}
	eventually(t, "it is said", func() bool { return s.places() == 1 })
	if err := s.now[at("127.0.0.2", port)]; !errors.Is(err, syscall.EADDRINUSE) || s.all[0] != "a" {
		t.Errorf("said is %v of %q", err, s.all)
	}
	taken.Close()
	eventually(t, "both are served", func() bool { code, _, _ := answer(t, at("127.0.0.2", port)); return code == 200 && s.places() == 0 })
	services.Set(nil, ir.NodePortScope{}, nil)

	// A check that is no longer wanted is neither reported nor retried.
	taken, err = net.Listen("tcp4", at("127.0.0.2", port))
	if err != nil {
		t.Fatal(err)
	}
	services.Set([]ir.HealthCheck{check("b", port, 1)}, scope("127.0.0.2"), nil)
	eventually(t, "it is said", func() bool { return s.places() == 1 })
	services.Set(nil, ir.NodePortScope{}, nil)
	taken.Close()
	if s.places() != 0 || !slices.Contains(s.all, "b") {
		t.Errorf("said is %v", s.now)
	}
	time.Sleep(600 * time.Millisecond)
	if code, _, _ := answer(t, at("127.0.0.2", port)); code != 0 {
		t.Errorf("a check that is gone: %d", code)
	}
}

// TestGate wants the connections of one client to all ports together to be
// limited.
func TestGate(t *testing.T) {
	t.Parallel()
	services := health.Services{Healthy: func() bool { return true }, Said: func(ir.HealthCheck, string, error) {}}
	defer services.Close()
	one, two := free(t), free(t)
	services.Set([]ir.HealthCheck{check("a", one, 1), check("b", two, 1)}, scope("127.0.0.1"), nil)
	var conns []net.Conn
	for i := range 200 {
		c, err := net.Dial("tcp4", at("127.0.0.1", []uint16{one, two}[i%2]))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	open := func() (n int) {
		for _, c := range conns {
			if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); errors.Is(err, syscall.EAGAIN) || fmt.Sprint(err) != "EOF" && !errors.Is(err, syscall.ECONNRESET) {
				n++
			}
		}
		return n
	}
	eventually(t, "the oldest are closed", func() bool { return open() <= 128 })
	if n := open(); n < 100 {
		t.Errorf("%d connections are left", n)
	}
}

// TestStatus checks the reasons and the conditions of healthy and ready at their limits.
func TestStatus(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := health.NewStatus(time.Minute, func() time.Time { return now })
	reasons := func() string { return strings.Join(s.Reasons(), "\n") }
	if s.Ready() || s.Pending() || !s.Healthy() || !strings.Contains(reasons(), "every source of objects has to be read once first") {
		t.Errorf("at the start: %s", reasons())
	}
	s.Queued(time.Time{})
	if s.Pending() {
		t.Error("nothing is queued")
	}
	first := now
	s.Queued(now)
	now = now.Add(59 * time.Second)
	s.Queued(now) // the older one counts
	if s.Ready() || !s.Pending() || !s.Healthy() || !strings.Contains(reasons(), "the first rules are being applied") {
		t.Errorf("while the first rules are applied: %s", reasons())
	}
	now = first.Add(time.Minute)
	if s.Healthy() {
		t.Error("a change that waited for a minute is healthy")
	}
	s.Updated()
	if !s.Ready() || s.Pending() || reasons() != "" {
		t.Errorf("when they are in: %s", reasons())
	}
	r := s.Report()
	if len(r.Status) != 2 || !r.Status["IPv4"].Healthy || !r.Status["IPv6"].LastUpdated.Equal(now) || r.Degraded != 0 {
		t.Errorf("the report is %+v", r)
	}
	s.Queued(now)
	now = now.Add(2 * time.Minute)
	if s.Ready() || s.Report().Status["IPv4"].Healthy {
		t.Error("a change that waits is ready")
	}
	s.Updated()
	s.SetGivenUp(2)
	if r := s.Report(); r.Degraded != 2 || !strings.Contains(reasons(), "degraded") || !strings.HasSuffix(reasons(), ": 2") {
		t.Errorf("degraded: %+v", r)
	}
	s.SetGivenUp(0)
	var unread []string
	for i := range 20 {
		unread = append(unread, fmt.Sprint(i))
	}
	s.SetUnread(unread)
	if got := s.Reasons(); len(got) != 20 || got[19] != "19" {
		t.Errorf("20 reasons are %q", got)
	}
	s.SetUnread(append(unread, "20", "21"))
	if got := s.Reasons(); len(got) != 21 || got[20] != "2 more" {
		t.Errorf("22 reasons are %q", got)
	}
	s.SetUnread(nil)
	long := strings.Repeat("x", 1024)
	s.Failed(errors.New(long))
	if !strings.HasSuffix(reasons(), ": "+long) {
		t.Errorf("an error that just fits: %d bytes", len(reasons()))
	}
	s.Failed(errors.New(long[:1023] + "ü"))
	if !strings.HasSuffix(reasons(), "x...") || strings.Contains(reasons(), "\uFFFD") {
		t.Errorf("one that is longer: %q", reasons()[1000:])
	}
	s.Failed(nil)
	if reasons() != "" {
		t.Errorf("after a comparison: %s", reasons())
	}
}
