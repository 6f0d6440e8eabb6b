//go:build !linux

package main

import (
	"fmt"
	"os"
)

// main reports that the command needs Linux, like the tests of the kernel.
func main() {
	fmt.Fprintln(os.Stderr, "mutants: the tests that it runs need Linux")
	os.Exit(1)
}
