package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Program is a command that runs in a namespace, at most once at a time.
// Only Log and PID are safe for concurrent use.
type Program struct {
	name string
	in   *Namespace
	argv []string
	env  []string
	log  string

	mu  sync.Mutex
	now *running
}

// running is one run of a program.
type running struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // once done is closed
}

// New prepares a program without starting it. When the test ends, the program is
// killed, and the end of its output is shown if the test failed. env extends the
// test's own environment.
func New(t testing.TB, in *Namespace, name string, env []string, argv ...string) *Program {
	t.Helper()
	p := &Program{name: name, in: in, argv: argv, env: env, log: filepath.Join(t.TempDir(), name+".log")}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil && !errors.Is(err, errNotRunning) {
			t.Errorf("at the end: %v", err)
		}
		if t.Failed() {
			t.Logf("the end of what %s printed:\n%s", name, p.tail())
		}
	})
	return p
}

var errNotRunning = errors.New("it is not running")

// Start starts the program without waiting until it is ready.
func (p *Program) Start() error {
	if p.Running() {
		return fmt.Errorf("start %s: it is running", p.name)
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	defer log.Close()
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.in.Do(cmd.Start); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	r := &running{cmd: cmd, done: make(chan struct{})}
	p.mu.Lock()
	p.now = r
	p.mu.Unlock()
	go func() {
		r.err = cmd.Wait()
		close(r.done)
	}()
	return nil
}

func (p *Program) current() *running {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// Running reports whether the program was started and has not ended.
func (p *Program) Running() bool {
	r := p.current()
	if r == nil {
		return false
	}
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// PID is the running or last process; 0 before the first.
func (p *Program) PID() int {
	if r := p.current(); r != nil {
		return r.cmd.Process.Pid
	}
	return 0
}

// Log returns the output of all runs of the program.
func (p *Program) Log() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (p *Program) tail() string {
	const enough = 6000
	log := p.Log()
	return log[max(0, len(log)-enough):]
}

// Until retries f until it succeeds, the program ends, or ctx ends.
func (p *Program) Until(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		if !p.Running() {
			return fmt.Errorf("%s ended: %w", p.name, p.Wait(0))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w (%w)", p.name, err, context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}
