package filesource

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// settled is how long a file must have been left alone where nothing better is
// known.
const settled = 500 * time.Millisecond

// beingWritten reports whether a process has the file open for writing: the kernel
// gives no lease for reading then (fcntl(2), F_SETLEASE).
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
	// A time that is still to come says nothing.
	age := time.Since(info.ModTime())
	return age >= 0 && age < settled, nil
}

// hasNoLeases reports whether the error says that there are no leases to be had:
// the file system has none, or the file is another user's and CAP_LEASE is
// missing.
func hasNoLeases(err error) bool {
	for _, no := range []error{syscall.EINVAL, syscall.ENOTSUP, syscall.EACCES, syscall.ENOLCK, syscall.EPERM} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// lease takes a lease for reading and gives it back at once. A process that opens
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
