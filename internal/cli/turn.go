//go:build !js

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/apply/nodelock"
	"github.com/planec/planec/ir/diag"
)

// turn is the exclusive right to change the kernel. Commands take it one at a
// time, and not while an agent runs, which would restore its own rules.
type turn struct {
	timeout     time.Duration
	besideAgent bool
}

func (t *turn) register(flags *pflag.FlagSet) {
	flags.DurationVar(&t.timeout, "lock-timeout", time.Minute, "how long to wait for another planec process that changes this kernel")
	flags.BoolVar(&t.besideAgent, "beside-agent", false, "change the kernel although planec-agent runs; the agent restores its own rules later")
}

// take waits for the turn. If no lock is possible, as on a read-only disk, it
// reports that and continues.
func (t *turn) take(ctx context.Context, s *Streams, stateDir string) (*nodelock.Lock, error) {
	if _, err := os.Stat(stateDir); err != nil {
		stateDir = "" // it is not created just for a lock
	}
	n, err := nodelock.On(stateDir)
	if err != nil {
		fmt.Fprintf(s.Err, "warning: other planec processes are not kept out: %v\n", err)
		return &nodelock.Lock{}, nil
	}
	if err := t.agent(n); err != nil {
		return nil, err
	}
	lock, err := n.Change(ctx, t.timeout, func(h nodelock.Holder) {
		fmt.Fprintf(s.Err, "waiting for the planec process %s, which holds the lock\n", diag.Printable(h.String()))
	})
	if err != nil {
		return nil, systemError(fmt.Errorf("nothing was changed: %w", err))
	}
	if !lock.Held() {
		fmt.Fprintf(s.Err, "warning: other planec processes are not kept out: %v\n", errors.Join(lock.Notes()...))
	}
	// An agent may have started meanwhile.
	if err := t.agent(n); err != nil {
		lock.Release()
		return nil, err
	}
	return lock, nil
}

func (t *turn) agent(n *nodelock.Node) error {
	if t.besideAgent {
		return nil
	}
	if err := n.RunningAgent(); err != nil {
		return systemError(fmt.Errorf("nothing was changed: an agent keeps the rules of this node: stop it first, or give --beside-agent: %w", err))
	}
	return nil
}

// untilSignal ends a context when the process is to end, or its terminal is gone.
func untilSignal() (ctx context.Context, stop func()) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT}
	if !signal.Ignored(syscall.SIGHUP) { // nohup ignores it
		signals = append(signals, syscall.SIGHUP)
	}
	return signal.NotifyContext(context.Background(), signals...)
}

// untilSignalOnly is untilSignal for commands that must not end halfway: a closed
// pipe is an error of the output, and ends nothing.
func untilSignalOnly() (ctx context.Context, stop func()) {
	ctx, stopSignals := untilSignal()
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	return ctx, func() { stopSignals(); signal.Stop(pipes) }
}
