package live

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Errors for the usual causes of a failure.
var (
	// ErrPrivileges is EPERM of bpf(2): creating maps needs CAP_BPF, and opening
	// maps by ID, such as those in a slot, needs CAP_SYS_ADMIN.
	ErrPrivileges = errors.New("CAP_BPF and CAP_SYS_ADMIN are needed")
	// ErrKernel means that the kernel is too old; the wrapping error names the
	// feature and the kernel version that has it.
	ErrKernel = errors.New("the kernel is too old")
	// ErrNoBPFFS means that the directory is not in a BPF file system.
	ErrNoBPFFS = errors.New("there is no BPF file system (mount -t bpf bpf /sys/fs/bpf)")
	// ErrForeign means that a foreign object has the name of a pin of planec.
	ErrForeign = errors.New("an object that planec did not make has the name of one of its pins; it is left alone: remove it, or give another directory of pins")
	// ErrMemory means that the kernel has no memory for maps of this size.
	ErrMemory = errors.New("the kernel has no memory for the maps")
	// ErrLocked means that another process is applying a plan.
	ErrLocked = errors.New("another process of planec is at work on the maps")
)

// explain maps the usual causes of a failure to errors of this package.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ebpf.ErrNotSupported):
		// The library's feature probes fail without a free descriptor.
		if full := noDescriptor(); full != nil {
			return fmt.Errorf("no descriptor is left for a map: %w", full)
		}
		return fmt.Errorf("%w: %w", ErrKernel, err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: %w", ErrPrivileges, err)
	case errors.Is(err, unix.ENOMEM), errors.Is(err, unix.E2BIG):
		return fmt.Errorf("%w: %w", ErrMemory, err)
	case errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w or has no bpf(2): %w", ErrKernel, err)
	}
	return err
}

// noDescriptor returns the error of opening one more descriptor, or nil.
func noDescriptor() error {
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// lacks reports whether the error is a lack of descriptors or memory.
func lacks(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}
