package cli

import "golang.org/x/sys/unix"

// kernelRelease is the release of this kernel, or "".
func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
