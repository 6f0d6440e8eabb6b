//go:build !linux

package main

import (
	"fmt"
	"os"
)

// main says that what the tests of the kernel would not notice is found out on Linux.
func main() {
	fmt.Fprintln(os.Stderr, "mutants: the tests that it runs need Linux")
	os.Exit(1)
}
