//go:build !js

package manifest

import "syscall"

// nonblock keeps open from waiting for the writer of a named pipe.
const nonblock = syscall.O_NONBLOCK
