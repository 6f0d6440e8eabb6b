//go:build !js

package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/confirm"
	"github.com/planec/planec/internal/apply/nodelock"
)

// watched is an apply that a guard reverts unless it is confirmed.
type watched struct {
	streams *Streams
	applier *applier.Applier
	// snapshot is used if the guard is killed.
	snapshot *applier.Snapshot
	guard    *exec.Cmd
	change   *confirm.Change
}

// arm starts the guard, which also holds the lock, and returns when the guard has read
// the state to restore.
func (w *watched) arm(ctx context.Context, stateDir, backend string, lock *nodelock.Lock) (err error) {
	if w.snapshot, err = w.applier.Snapshot(ctx, backend); err != nil {
		return err
	}
	commandsOut, commandsIn, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("starting the guard: %w", err)
	}
	answersOut, answersIn, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("starting the guard: %w", err)
	}
	w.guard = guardCommand(stateDir, backend)
	w.guard.Stderr = w.streams.Err
	w.guard.ExtraFiles = append([]*os.File{commandsOut, answersIn}, lock.Files()...)
	if err := w.guard.Start(); err != nil {
		return fmt.Errorf("starting the guard: %w", err)
	}
	_, _ = commandsOut.Close(), answersIn.Close() // the guard has them now
	w.change, err = confirm.Watched(commandsIn, answersOut, guardPatience)
	if err != nil {
		_ = w.guard.Wait() // it has said what is wrong
	}
	return err
}

// guardPatience is how long to wait for a guard that may be restoring.
const guardPatience = time.Minute

// close waits for the guard to end.
func (w *watched) close() {
	w.change.Close()
	_ = w.guard.Wait() // it has said what is wrong
}

// keep ends the guard if nothing was changed.
func (w *watched) keep() { _, _ = w.change.Keep() }

// back reverts the change because of an error, which it returns.
func (w *watched) back(because error) error {
	outcome, reason := w.change.Back()
	if err := w.restored(outcome, reason); err != nil {
		return err
	}
	return because
}

// decide waits for a "yes", and reports whether it came in time.
func (w *watched) decide(ctx context.Context, within time.Duration) (kept bool, err error) {
	w.change.Applied(within)
	fmt.Fprintf(w.streams.Err, "type yes within %v to keep the change\n", within)
	answers := make(chan bool, 1)
	go func() {
		line, _ := bufio.NewReader(w.streams.In).ReadString('\n')
		answers <- strings.EqualFold(strings.TrimSpace(line), "yes")
	}()
	outcome, reason := w.change.Decide(within, answers, ctx.Done())
	if outcome == confirm.Kept {
		return true, nil
	}
	if err := w.restored(outcome, reason); err != nil {
		return false, err
	}
	return false, finding()
}

// restored reports that the previous rules are back. If the guard is dead or
// failed, it restores them itself.
func (w *watched) restored(outcome confirm.Outcome, reason error) error {
	if outcome == confirm.Lost {
		fmt.Fprintf(w.streams.Err, "planec: %v: going back without it\n", reason)
		_ = w.guard.Process.Kill() // only one of the two may restore
		if err := w.applier.Restore(context.Background(), w.snapshot); err != nil {
			return systemError(fmt.Errorf("the change was not confirmed, and taking it back failed: %w", err))
		}
		_ = w.applier.Refused() // only a rollback needs it
	}
	fmt.Fprintln(w.streams.Err, "the change was not confirmed: the kernel has the rules from before again")
	return nil
}
