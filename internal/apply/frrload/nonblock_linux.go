package frrload

import "syscall"

// nonblock keeps open from waiting if a pipe replaced the file.
const nonblock = syscall.O_NONBLOCK
