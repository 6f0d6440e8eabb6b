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

// General reports whether an error of a dataplane is caused by the machine and not
// by an object: giving up objects would not help.
func General(err error) bool {
	// Interference by other processes is no object's fault either.
	return errors.As(err, new(*applier.MeanwhileError)) || isOne(err,
		xtlive.ErrNoTools, xtlive.ErrPrivileges, xtlive.ErrLocked, xtlive.ErrNoKernel,
		ipvslive.ErrNoIPVS, ipvslive.ErrNoScheduler, ipvslive.ErrNoDummy, ipvslive.ErrNoSysctl, ipvslive.ErrForeign,
		ebpflive.ErrPrivileges, ebpflive.ErrKernel, ebpflive.ErrNoBPFFS, ebpflive.ErrForeign, ebpflive.ErrLocked, ebpflive.ErrNoCgroup, ErrNoCgroup, ErrNotRoot,
		nftlive.ErrBusy, ebpflive.ErrMemory, unix.ENOMEM, unix.EPERM, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT)
}

// meanwhile marks errors that an apply gets if another process changed the kernel after
// it was read: different nftables tables, a set that is now in use, a member or a chain
// that was added or removed, a held lock.
func meanwhile(err error) error {
	if isOne(err, nftlive.ErrBusy, nftlive.ErrDrift, xtlive.ErrForeignSet, xtlive.ErrMeanwhile, xtlive.ErrLocked) {
		return &applier.MeanwhileError{Err: err}
	}
	return err
}

// absent reports whether an error proves that there are no rules: an apply needs the
// programs, and the kernel's part of them.
func absent(err error) bool { return isOne(err, xtlive.ErrNoTools, xtlive.ErrNoKernel) }

// drifted treats a refusal of the kernel as a difference between the held and the
// actual state. An apply of the whole artifact then finds out; if there is
// another cause, it fails too and reports it.
func drifted(err error) error {
	if isOne(err, xtlive.ErrNoTools, xtlive.ErrPrivileges, xtlive.ErrLocked, ipvslive.ErrNoIPVS, context.Canceled, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", applier.ErrDrift, err)
}
