package filesource

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lease takes a lease for reading and gives it back at once. Whoever opens the
// file for writing in between waits for less than a millisecond.
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
