//go:build !linux

package cli

import (
	"os/exec"

	"github.com/spf13/cobra"
)

// guardCommand is for Linux: nothing else runs what planec compiles.
func guardCommand(string, string) *exec.Cmd { return exec.Command("") }

func newGuard(*Streams) *cobra.Command { return &cobra.Command{Use: "confirm-guard", Hidden: true} }
