package dataplane

import (
	"errors"

	"golang.org/x/sys/unix"

	ebpflive "github.com/planec/planec/backends/ebpf/live"
	ipvslive "github.com/planec/planec/backends/ipvs/live"
	nftlive "github.com/planec/planec/backends/nftables/live"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/apply/applier"
)

// General reports whether an error of a dataplane is the machine's and not that of
// an object: giving objects up would not help.
func General(err error) bool {
	for _, known := range []error{
		xtlive.ErrNoTools, xtlive.ErrPrivileges, xtlive.ErrLocked, xtlive.ErrNoKernel,
		ipvslive.ErrNoIPVS, ipvslive.ErrNoScheduler, ipvslive.ErrNoDummy, ipvslive.ErrNoSysctl, ipvslive.ErrForeign,
		ebpflive.ErrPrivileges, ebpflive.ErrKernel, ebpflive.ErrNoBPFFS, ebpflive.ErrForeign, ebpflive.ErrLocked,
		nftlive.ErrBusy, ebpflive.ErrMemory, unix.ENOMEM, unix.EPERM, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	// Others who are at work beside us are none's fault either.
	return errors.As(err, new(*applier.MeanwhileError))
}
