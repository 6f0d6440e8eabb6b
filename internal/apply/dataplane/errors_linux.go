package dataplane

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	ebpflive "github.com/planec/planec/backends/ebpf/live"
	ipvslive "github.com/planec/planec/backends/ipvs/live"
	nftlive "github.com/planec/planec/backends/nftables/live"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/apply/applier"
)

func isOne(err error, known ...error) bool {
	return slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) })
}

// General reports whether an error of a dataplane is the machine's and not that of
// an object: giving objects up would not help.
func General(err error) bool {
	// Others who are at work beside us are none's fault either.
	return errors.As(err, new(*applier.MeanwhileError)) || isOne(err,
		xtlive.ErrNoTools, xtlive.ErrPrivileges, xtlive.ErrLocked, xtlive.ErrNoKernel,
		ipvslive.ErrNoIPVS, ipvslive.ErrNoScheduler, ipvslive.ErrNoDummy, ipvslive.ErrNoSysctl, ipvslive.ErrForeign,
		ebpflive.ErrPrivileges, ebpflive.ErrKernel, ebpflive.ErrNoBPFFS, ebpflive.ErrForeign, ebpflive.ErrLocked,
		nftlive.ErrBusy, ebpflive.ErrMemory, unix.ENOMEM, unix.EPERM, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT)
}

// meanwhile marks what an apply may meet when the rules of another process came to
// the kernel after this one had looked: tables of nftables are others than they were, a
// set that was not in use is, a member or a chain is there or is gone, and the lock is
// held.
func meanwhile(err error) error {
	if isOne(err, nftlive.ErrBusy, nftlive.ErrDrift, xtlive.ErrForeignSet, xtlive.ErrMeanwhile, xtlive.ErrLocked) {
		return &applier.MeanwhileError{Err: err}
	}
	return err
}

// absent reports whether an error says that nothing can be there: an apply needs the
// programs, and the kernel's part of them.
func absent(err error) bool { return isOne(err, xtlive.ErrNoTools, xtlive.ErrNoKernel) }

// drifted takes what the kernel does not do for a difference between what is held
// and what is there. An apply of the whole finds out; if it is something else,
// that fails too and says what it is.
func drifted(err error) error {
	if isOne(err, xtlive.ErrNoTools, xtlive.ErrPrivileges, xtlive.ErrLocked, ipvslive.ErrNoIPVS, context.Canceled, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", applier.ErrDrift, err)
}
