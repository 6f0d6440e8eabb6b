//go:build !unix

package applier

const nonblock = 0
