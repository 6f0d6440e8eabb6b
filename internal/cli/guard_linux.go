package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/confirm"
)

// guardName is the hidden command that guards a change.
const guardName = "confirm-guard"

// guardCommand runs this program as a guard, in its own session so that it outlives
// the terminal.
func guardCommand(stateDir, backend string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", guardName, "--state-dir", stateDir, "--backend", backend)
	cmd.Args[0] = os.Args[0]
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	return cmd
}

// The descriptors of a guard; those of locks follow.
const (
	guardCommands = 3
	guardAnswers  = 4
	// most is the largest number of descriptors after the commands.
	most = 8
)

// The time limit of a guarded apply, the number and intervals of a guard's attempts to
// restore, and its delay before it checks whether a tool of the dead parent was still
// running.
const (
	guardApplying = 10 * time.Minute
	guardTries    = 20
	guardPause    = time.Second
	guardLook     = 250 * time.Millisecond
)

func newGuard(s *Streams) *cobra.Command {
	var stateDir, backend string
	cmd := &cobra.Command{
		Use:    guardName,
		Short:  "Guard a change of another planec process (internal)",
		Hidden: true,
		Args:   noArguments,
		RunE: func(*cobra.Command, []string) error {
			if !isPipe(guardCommands) || !isPipe(guardAnswers) {
				return inputError(errors.New("planec apply --confirm-within runs this command"))
			}
			for fd := guardCommands; fd < guardAnswers+most; fd++ {
				unix.CloseOnExec(fd) // the tools that restore must not hold a lock
			}
			signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGPIPE, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU)
			ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM)
			defer stop()
			g := &confirm.Guard{
				Commands: os.NewFile(guardCommands, "commands"), Answers: os.NewFile(guardAnswers, "answers"),
				End: ctx.Done(), Applying: guardApplying,
			}
			a := newApplier(stateDir, "")
			var snapshot *applier.Snapshot
			g.Arm = func() (err error) {
				snapshot, err = a.Snapshot(ctx, backend)
				return err
			}
			g.Restore = func() error { return goBack(a, snapshot) }
			if _, err := g.Run(); err != nil {
				return systemError(fmt.Errorf("guarding the change: %w", err))
			}
			return nil
		},
	}
	registerStateDir(cmd.Flags(), &stateDir)
	cmd.Flags().StringVar(&backend, "backend", "", "backend of the change")
	return cmd
}

func isPipe(fd int) bool {
	var s unix.Stat_t
	return unix.Fstat(fd, &s) == nil && s.Mode&unix.S_IFMT == unix.S_IFIFO
}

// goBack restores the previous rules and verifies them.
func goBack(a *applier.Applier, snapshot *applier.Snapshot) error {
	var err error
	for range guardTries {
		if err = a.Restore(context.Background(), snapshot); err == nil {
			break
		}
		time.Sleep(guardPause)
	}
	if err != nil {
		return err
	}
	_ = a.Refused() // only a rollback needs it
	time.Sleep(guardLook)
	return a.Restore(context.Background(), snapshot)
}
