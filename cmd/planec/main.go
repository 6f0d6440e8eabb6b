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
	streams := cli.Standard()
	// kubectl runs a program of this name for "kubectl planec".
	streams.Plugin = strings.HasPrefix(filepath.Base(os.Args[0]), "kubectl-planec")
	os.Exit(cli.Run(os.Args[1:], streams))
}
