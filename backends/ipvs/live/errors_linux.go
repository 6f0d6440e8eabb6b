package live

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	xtlive "github.com/planec/planec/backends/xtables/live"
)

// Errors that say what is in the way.
var (
	ErrNoIPVS      = errors.New("this kernel has no IPVS: it needs the module ip_vs (CONFIG_IP_VS)")
	ErrNoScheduler = errors.New("this kernel lacks a scheduler of IPVS")
	ErrNoDummy     = errors.New("this kernel has no dummy devices: it needs the module dummy (CONFIG_DUMMY)")
	ErrNoSysctl    = errors.New("this kernel lacks a setting")
	ErrForeign     = errors.New("something else has our name")
	// ErrPrivileges is that of the rules.
	ErrPrivileges = xtlive.ErrPrivileges
)

// explain says which of the usual things an errno means.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: %w", ErrPrivileges, err)
	case errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("the kernel has no memory for it: %w", err)
	}
	return err
}

// explainService is for requests that name a scheduler.
func explainService(err error, scheduler string) error {
	if errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%w: %s needs the module ip_vs_%s", ErrNoScheduler, scheduler, scheduler)
	}
	return explain(err)
}
