package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Kill sends SIGKILL and waits for the end of the process.
func (p *Program) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.current().done
	return nil
}

// Terminate sends SIGTERM, waits for the end and returns its error: nil means
// that the program exited with code 0. After the allowed time it kills the
// program, which is an error.
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

// Wait waits until the program ends by itself and returns its error.
func (p *Program) Wait(allowed time.Duration) error {
	r := p.current()
	if r == nil {
		return fmt.Errorf("%s: %w", p.name, errNotRunning)
	}
	if !p.Running() {
		allowed = time.Hour // it has ended already, so the timeout must not win
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

// Stop sends SIGSTOP and waits until every thread has stopped: the process
// exists but answers nothing, as on a hanging node. Continue resumes it.
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
