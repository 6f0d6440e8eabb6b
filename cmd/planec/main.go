// Command planec compiles Kubernetes objects to the rules of a node's kernel.
// See `planec --help`.
package main

import (
	"os"

	"github.com/planec/planec/internal/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], cli.Standard()))
}
