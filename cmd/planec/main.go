// Command planec compiles Kubernetes objects to the rules of a node's kernel.
// See `planec --help`.
package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/planec/planec/internal/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], cli.Streams{
		In:       os.Stdin,
		Out:      os.Stdout,
		Err:      os.Stderr,
		OutColor: cli.IsTerminal(os.Stdout),
		ErrColor: cli.IsTerminal(os.Stderr),
		// kubectl runs a program of this name for "kubectl planec".
		Plugin: strings.HasPrefix(filepath.Base(os.Args[0]), "kubectl-planec"),
	}))
}
