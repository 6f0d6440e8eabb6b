package live

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	xtlive "github.com/planec/planec/backends/xtables/live"
)

// Errors for the usual causes of a failure.
var (
	ErrNoIPVS      = errors.New("this kernel has no IPVS: it needs the module ip_vs (CONFIG_IP_VS)")
	ErrNoScheduler = errors.New("this kernel lacks a scheduler of IPVS")
	ErrNoDummy     = errors.New("this kernel has no dummy devices: it needs the module dummy (CONFIG_DUMMY)")
	ErrNoSysctl    = errors.New("this kernel lacks a setting")
	ErrForeign     = errors.New("planec did not create this object")
	// ErrPrivileges is the same error as for the rules.
	ErrPrivileges = xtlive.ErrPrivileges
)

// explain maps an errno to an error of this package.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: %w", ErrPrivileges, err)
	case errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("the kernel has no memory for it: %w", err)
	}
	return err
}

// explainService explains an error of a request that names a scheduler.
func explainService(err error, scheduler string) error {
	if errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%w: %s needs the module ip_vs_%s", ErrNoScheduler, scheduler, scheduler)
	}
	return explain(err)
}
