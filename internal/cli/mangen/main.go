//go:build linux

// Command mangen writes the man pages of planec and planec-agent, and planec's
// completions, from their command trees into a directory. See `make dist`.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/planec/planec/internal/agent/cmd"
	"github.com/planec/planec/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: mangen DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "mangen: "+err.Error())
		os.Exit(1)
	}
}

func run(dir string) error {
	man, completions := filepath.Join(dir, "man"), filepath.Join(dir, "completions")
	for _, d := range []string{man, completions} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	planec := cli.Command()
	// The date is SOURCE_DATE_EPOCH, so that one commit always gives the same pages.
	header := &doc.GenManHeader{Section: "1", Source: "planec", Manual: "planec"}
	for _, tree := range []*cobra.Command{planec, cmd.New(io.Discard)} {
		tree.DisableAutoGenTag = true
		if err := doc.GenManTree(tree, header, man); err != nil {
			return fmt.Errorf("man pages of %s: %w", tree.Name(), err)
		}
	}
	return complete(planec, completions)
}

func complete(root *cobra.Command, dir string) error {
	for name, generate := range map[string]func(string) error{
		"planec.bash": func(f string) error { return root.GenBashCompletionFileV2(f, true) },
		"_planec":     root.GenZshCompletionFile,
		"planec.fish": func(f string) error { return root.GenFishCompletionFile(f, true) },
		"planec.ps1":  root.GenPowerShellCompletionFileWithDesc,
	} {
		if err := generate(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("completion %s: %w", name, err)
		}
	}
	return nil
}
