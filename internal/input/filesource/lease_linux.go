package filesource

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// settled is the required time without a write if leases are not available.
const settled = 500 * time.Millisecond

// beingWritten reports whether a process has the file open for writing: then the
// kernel refuses a lease for reading (fcntl(2), F_SETLEASE).
func beingWritten(f *os.File) (bool, error) {
	err := lease(f)
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, syscall.EAGAIN):
		return true, nil
	case !hasNoLeases(err):
		return false, fmt.Errorf("lease on %s: %w", f.Name(), err)
	}
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	// A time in the future tells nothing.
	age := time.Since(info.ModTime())
	return age >= 0 && age < settled, nil
}

// hasNoLeases reports whether the error means that leases are not available: the
// file system lacks them, or the file belongs to another user and CAP_LEASE is
// missing.
func hasNoLeases(err error) bool {
	for _, no := range []error{syscall.EINVAL, syscall.ENOTSUP, syscall.EACCES, syscall.ENOLCK, syscall.EPERM} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// lease takes a lease for reading and releases it at once. A process that opens
// the file for writing in between waits for less than a millisecond.
func lease(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = conn.Control(func(fd uintptr) {
		if _, set = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_RDLCK); set == nil {
			_, set = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_UNLCK)
		}
	})
	return errors.Join(err, set)
}
