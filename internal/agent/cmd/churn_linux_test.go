package cmd_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var lasting = flag.Duration("lasting", 5*time.Second, "how long TestChurn churns")

// TestChurn adds and removes files of every kind, complete, partly written and
// broken, and keeps slow clients on the agent's servers, while one Service changes
// constantly: each change must be applied, and the agent's memory must not grow.
func TestChurn(t *testing.T) {
	n := newNode(t, "--log-level=info")
	n.write("node.yaml", nodeYAML)
	n.write("cart.yaml", service("cart", vip, "", "10.1.2.1"))
	n.start()
	n.wait("the Service answers", func() bool { return n.answer(vip, 80) == "10.1.2.1:8080" })

	stop := make(chan struct{})
	var actors sync.WaitGroup
	act := func(every time.Duration, do func(r *rand.Rand, i int)) {
		r := rand.New(rand.NewPCG(1, uint64(every)))
		actors.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(every):
					do(r, i)
				}
			}
		})
	}
	c := churn{n}
	act(11*time.Millisecond, c.whole)
	act(17*time.Millisecond, c.halves)
	act(13*time.Millisecond, c.odd)
	act(23*time.Millisecond, c.broken)
	act(29*time.Millisecond, c.slowClient)

	const looks = 10
	var first, last sample
	for i := range looks {
		last = c.measure(i, *lasting/looks)
		t.Logf("after %v: %v", (time.Duration(i+1) * *lasting / looks).Round(100*time.Millisecond), last)
		if i == 1 {
			first = last
		}
	}
	close(stop)
	actors.Wait()
	// The resources of slow clients and of files are bounded: if anything has
	// doubled after the same number of changes again, it leaks.
	if last.memory > 2*first.memory || last.files > first.files+150 || last.goroutines > first.goroutines+150 {
		t.Errorf("it grows: from %v to %v", first, last)
	}
	for _, e := range []string{"panic", "msg=\"applying: "} {
		if strings.Contains(n.log.String(), e) {
			t.Errorf("the log has %q", e)
		}
	}
	if code := n.kill(unix.SIGTERM); code != 0 {
		t.Errorf("it ends with %d", code)
	}
}

// sample is a measurement of the agent.
type sample struct {
	memory     int // resident, in KiB
	files      int // open descriptors
	goroutines int
	changes    int
	median     time.Duration // from a rename to the kernel's answer
	worst      time.Duration
}

func (s sample) String() string {
	return fmt.Sprintf("%d MiB, %d descriptors, %d goroutines; %d changes, median %v, worst %v",
		s.memory>>10, s.files, s.goroutines, s.changes, s.median.Round(time.Millisecond), s.worst.Round(time.Millisecond))
}

// churn controls the agent's directory and servers.
type churn struct{ n *node }

// measure changes one Service repeatedly, and then measures the agent.
func (c *churn) measure(look int, long time.Duration) (s sample) {
	var took []time.Duration
	for end := time.Now().Add(long); time.Now().Before(end); {
		want := fmt.Sprintf("10.1.2.%d", 2+(len(took)+100*look)%200)
		begin := time.Now()
		c.n.write("cart.yaml", service("cart", vip, "", want))
		for c.n.answer(vip, 80) != want+":8080" {
			if time.Since(begin) > 20*time.Second {
				c.n.t.Fatalf("a change does not get in\n%s", c.n.log)
			}
			time.Sleep(2 * time.Millisecond)
		}
		took = append(took, time.Since(begin))
		time.Sleep(50 * time.Millisecond)
	}
	for i := range took {
		s.worst = max(s.worst, took[i])
		for j := i; j > 0 && took[j] < took[j-1]; j-- {
			took[j], took[j-1] = took[j-1], took[j]
		}
	}
	s.changes, s.median = len(took), took[len(took)/2]
	pid := c.n.cmd.Process.Pid
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		c.n.t.Fatal(err)
	}
	s.memory = number(string(status), `VmRSS:\s+(\d+)`)
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		c.n.t.Fatal(err)
	}
	s.files = len(files)
	// A probe beside the slow clients.
	if code, _, _ := c.n.get("http://127.0.0.1:10256/healthz"); code != 200 {
		c.n.t.Errorf("healthz is %d", code)
	}
	_, metrics, _ := c.n.get("http://127.0.0.1:10249/metrics")
	s.goroutines = number(metrics, `(?m)^go_goroutines (\d+)`)
	return s
}

func number(text, pattern string) int {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return -1
	}
	v, _ := strconv.Atoi(m[1]) // digits, by the pattern
	return v
}

func (c *churn) at(name string) string { return filepath.Join(c.n.dir, name) }

// body is a Service of its own for each number.
func body(r *rand.Rand, i int) string {
	return service(fmt.Sprintf("s%d", i), fmt.Sprintf("10.96.1.%d", i), "", fmt.Sprintf("10.1.2.%d", 1+r.IntN(200)))
}

// whole puts a file in place, or removes it.
func (c *churn) whole(r *rand.Rand, _ int) {
	i := 1 + r.IntN(40)
	if r.IntN(3) == 0 {
		_ = os.Remove(c.at(fmt.Sprintf("whole%d.yaml", i))) // it may not exist
		return
	}
	c.n.write(fmt.Sprintf("whole%d.yaml", i), body(r, i))
}

// halves writes a file in place, with a pause in it.
func (c *churn) halves(r *rand.Rand, _ int) {
	i := 50 + r.IntN(10)
	f, err := os.Create(c.at(fmt.Sprintf("half%d.yaml", i)))
	if err != nil {
		return
	}
	defer f.Close()
	text := body(r, i)
	cut := r.IntN(len(text))
	_, _ = f.WriteString(text[:cut]) // the agent must report what is wrong with the file
	time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond)
	_, _ = f.WriteString(text[cut:])
}

// odd creates and removes entries that are not regular files.
func (c *churn) odd(r *rand.Rand, _ int) {
	name := c.at(fmt.Sprintf("odd%d.yaml", r.IntN(10)))
	if os.RemoveAll(name) != nil || r.IntN(3) == 0 {
		return
	}
	// Each operation may conflict with an earlier one.
	switch r.IntN(6) {
	case 0:
		_ = os.Symlink("nowhere@host:1", name)
	case 1:
		_ = os.Symlink(filepath.Base(name), name)
	case 2:
		_ = unix.Mkfifo(name, 0o600)
	case 3:
		_ = os.Mkdir(name, 0o700)
	case 4:
		_ = os.Symlink("node.yaml", name)
	case 5:
		_ = os.Symlink("/dev/zero", name)
	}
}

// broken creates files that are not manifests.
func (c *churn) broken(r *rand.Rand, _ int) {
	texts := []string{"a: [", "\xff", "kind: Service\nkind: Node\n", "{\"kind\":", strings.Repeat("- [", 50), "", "a: &a [*a]"}
	c.n.write(fmt.Sprintf("broken%d.json", r.IntN(5)), texts[r.IntN(len(texts))])
}

// slowClient begins a request and never completes it.
func (c *churn) slowClient(r *rand.Rand, _ int) {
	var conn net.Conn
	err := c.n.rig.Do(func() (err error) {
		conn, err = dialHere([]string{"127.0.0.1:10256", "127.0.0.1:10249"}[r.IntN(2)])
		return err
	})
	if err != nil {
		return
	}
	_, _ = fmt.Fprint(conn, []string{"GET /healthz HTTP/1.1\r\nX: ", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nx"}[r.IntN(3)])
	time.AfterFunc(time.Duration(r.IntN(10_000))*time.Millisecond, func() { conn.Close() })
}
