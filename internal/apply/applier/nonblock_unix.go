//go:build unix

package applier

import "syscall"

// nonblock keeps open from waiting where a pipe is in the place of the file.
const nonblock = syscall.O_NONBLOCK
