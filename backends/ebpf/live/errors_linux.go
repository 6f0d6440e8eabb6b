package live

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Errors that say what is in the way.
var (
	// ErrPrivileges is EPERM of bpf(2): CAP_BPF makes maps, and CAP_SYS_ADMIN
	// opens them by number, as those in a slot are.
	ErrPrivileges = errors.New("CAP_BPF and CAP_SYS_ADMIN are needed")
	// ErrKernel says that the kernel is too old; the error beside it says for
	// what, and which kernel has it.
	ErrKernel = errors.New("the kernel is too old")
	// ErrNoBPFFS says where a BPF file system is missing.
	ErrNoBPFFS = errors.New("there is no BPF file system (mount -t bpf bpf /sys/fs/bpf)")
	// ErrForeign is a foreign object under a name of planec's.
	ErrForeign = errors.New("an object that planec did not make has the name of one of its maps; it is left alone")
	// ErrMemory says that the kernel has not room for maps of this size.
	ErrMemory = errors.New("the kernel has no memory for the maps")
	// ErrLocked says that another process applies.
	ErrLocked = errors.New("another process of planec is at work on the maps")
)

// explain says which of the usual things is in the way.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ebpf.ErrNotSupported):
		// The library tries what may be missing, and cannot without a descriptor.
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

// noDescriptor is why no further one can be had, or nil.
func noDescriptor() error {
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// lacks reports whether something failed for want of descriptors or memory.
func lacks(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}
