// Command planec-agent keeps a node's kernel rules in line with its cluster.
// See `planec-agent --help`.
package main

import (
	"os"

	"github.com/planec/planec/internal/agent/cmd"
)

func main() { os.Exit(cmd.Main(os.Args[1:], os.Stderr)) }
