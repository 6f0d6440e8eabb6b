package live

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// pinnedLink opens the link of a pin. Any other object there is [ErrForeign].
func pinnedLink(path string) (link.Link, error) {
	l, err := link.LoadPinnedLink(path, nil)
	return l, foreign(path, err)
}

// pinnedProgram opens the program of a pin. Any other object there is [ErrForeign].
func pinnedProgram(path string) (*ebpf.Program, error) {
	p, err := ebpf.LoadPinnedProgram(path, nil)
	return p, foreign(path, err)
}

// foreign explains an error of opening a pin. The library finds another kind of object
// itself, and the kernel refuses a file that is no pin (EACCES, EINVAL) or a directory.
func foreign(path string, err error) error {
	errno := unix.Errno(0)
	switch isErrno := errors.As(err, &errno); {
	case err == nil:
		return nil
	case !isErrno, errno == unix.EACCES, errno == unix.EINVAL, errno == unix.EISDIR:
		return fmt.Errorf("%w: %s: %w", ErrForeign, path, err)
	}
	return err
}
