package buildinfo

import "golang.org/x/sys/unix"

// KernelRelease is the release of this kernel, or "".
func KernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
