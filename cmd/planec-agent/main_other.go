//go:build !linux

// Command planec-agent keeps a node's kernel what its cluster says; the kernel is
// Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "planec-agent runs on Linux only")
	os.Exit(3)
}
