package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Program is a command that runs in a namespace, at most once at a time. Its
// methods are for one goroutine, but for Log and PID.
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

// New prepares a program: nothing runs yet. When the test ends it is killed, and
// the end of what it printed is shown if the test failed. env is added to the
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

// Start starts the program and does not wait for it to be ready.
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

// Running says whether the program has been started and has not ended.
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

// PID is the process that runs, or ran last; 0 before the first.
func (p *Program) PID() int {
	if r := p.current(); r != nil {
		return r.cmd.Process.Pid
	}
	return 0
}

// Kill sends SIGKILL and waits until the process is gone.
func (p *Program) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.current().done
	return nil
}

// Terminate sends SIGTERM and waits for the end, whose error it returns: nil
// means that the program ended by itself with code 0. After the time allowed it
// is killed, which is an error.
func (p *Program) Terminate(allowed time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.Wait(allowed); err != nil {
		return errors.Join(fmt.Errorf("terminate: %w", err), ignoreNotRunning(p.Kill()))
	}
	return nil
}

func ignoreNotRunning(err error) error {
	if errors.Is(err, errNotRunning) {
		return nil
	}
	return err
}

// Wait waits for the program's own end and returns its error.
func (p *Program) Wait(allowed time.Duration) error {
	r := p.current()
	if r == nil {
		return fmt.Errorf("%s: %w", p.name, errNotRunning)
	}
	select {
	case <-r.done:
		if r.err != nil {
			return fmt.Errorf("%s: %w", p.name, r.err)
		}
		return nil
	case <-time.After(allowed):
		return fmt.Errorf("%s: still running after %v", p.name, allowed)
	}
}

// Stop sends SIGSTOP and waits until every thread has stopped: the process stays
// and answers nobody, as on a node that hangs. Continue ends that.
func (p *Program) Stop() error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for deadline := time.Now().Add(stopTimeout); ; time.Sleep(time.Millisecond) {
		stopped, err := allStopped(p.PID())
		switch {
		case err != nil:
			return fmt.Errorf("stop %s: %w", p.name, err)
		case stopped:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("stop %s: some threads still run after %v", p.name, stopTimeout)
		}
	}
}

const stopTimeout = 10 * time.Second

// allStopped reads the states of a process's threads (proc_pid_stat(5)).
func allStopped(pid int) (bool, error) {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(stats) == 0 {
		return false, errors.Join(err, errNotRunning)
	}
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has ended
		}
		if err != nil {
			return false, err
		}
		_, after, _ := strings.Cut(string(b), ") ")
		if !strings.HasPrefix(after, "T") {
			return false, nil
		}
	}
	return true, nil
}

// Continue sends SIGCONT.
func (p *Program) Continue() error { return p.Signal(syscall.SIGCONT) }

// Signal sends a signal to the running process.
func (p *Program) Signal(s syscall.Signal) error {
	if !p.Running() {
		return fmt.Errorf("send %v to %s: %w", s, p.name, errNotRunning)
	}
	if err := p.current().cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("send %v to %s: %w", s, p.name, err)
	}
	return nil
}

// Log is all that the program printed, over all its runs.
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
