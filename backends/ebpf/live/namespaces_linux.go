package live

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// namespaceFiles are where network namespaces have files: those of processes, of threads
// that left their process' namespace, and those that are kept by a mount.
var namespaceFiles = [...]string{"/proc/thread-self/ns/net", "/proc/[0-9]*/ns/net", "/run/netns/*", "/run/docker/netns/*", "/proc/[0-9]*/task/*/ns/net"}

// inNamespaces runs do in each of some network namespaces, which are named by their
// inodes. Those that are gone, or of which no file is known, are left out.
func inNamespaces(which map[uint32]bool, do func() error) error {
	var errs []error
	left := make(map[uint32]bool, len(which))
	for inode := range which {
		left[inode] = true
	}
	for _, pattern := range namespaceFiles {
		if len(left) == 0 {
			break
		}
		files, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, name := range files {
			inode := inodeOf(name)
			if !left[inode] {
				continue
			}
			f, err := os.Open(name)
			if err != nil {
				continue // the process has ended
			}
			delete(left, inode)
			errs = append(errs, inNamespace(f, do), f.Close())
		}
	}
	return errors.Join(errs...)
}

// inodeOf is the inode of a file, or 0.
func inodeOf(name string) uint32 {
	var st unix.Stat_t
	if unix.Stat(name, &st) != nil {
		return 0
	}
	return uint32(st.Ino)
}

// inNamespace runs do on a thread of its own, which ends with it.
func inNamespace(f *os.File, do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is in another namespace
		if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- do()
	}()
	return <-done
}
