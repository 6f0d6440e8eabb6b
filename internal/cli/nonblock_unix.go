//go:build unix

package cli

import "syscall"

// nonblock keeps an open from waiting where a pipe took a file's place.
const nonblock = syscall.O_NONBLOCK
