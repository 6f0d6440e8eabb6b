//go:build !linux

// Command planec-agent keeps a node's kernel rules in line with its cluster. It
// needs Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "planec-agent runs on Linux only")
	os.Exit(3)
}
