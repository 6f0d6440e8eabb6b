// Command planec compiles Kubernetes objects to the rules of a node's kernel.
// See `planec --help`.
package main

import (
	"os"

	"github.com/planec/planec/internal/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], cli.Streams{
		In:       os.Stdin,
		Out:      os.Stdout,
		Err:      os.Stderr,
		OutColor: cli.IsTerminal(os.Stdout),
		ErrColor: cli.IsTerminal(os.Stderr),
	}))
}
