package frrload

import (
	"os"
	"syscall"
)

// sameOwner gives a file to the owner of a directory.
func sameOwner(file *os.File, dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) != os.Geteuid() {
		return file.Chown(int(s.Uid), int(s.Gid))
	}
	return nil
}
