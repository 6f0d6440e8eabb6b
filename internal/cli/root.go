package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/base/buildinfo"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir/diag"
)

// Streams are the input and the outputs of a command.
type Streams struct {
	In       io.Reader // standard input
	Out, Err io.Writer // results and diagnostics
	// OutColor and ErrColor report that the stream may be coloured if --color is
	// auto.
	OutColor, ErrColor bool
	// Width is the number of columns of the terminal that Out is, or 0 where it is none:
	// then nothing is fitted to a width.
	Width int
	// ErrWidth is that of the terminal that Err is, where a person looks at it, or 0: then
	// nothing is said of how far a long command is.
	ErrWidth int
	// Now is the clock by which a command is long; nil is the system's.
	Now func() time.Time
	// Plugin reports that kubectl runs the program: without files it is about the current
	// context.
	Plugin bool
	// Decoded keeps what manifests were decoded to, for a program that runs many commands on
	// nearly the same ones; nil keeps nothing.
	Decoded *manifest.Memo

	progress *progress
}

// Standard are the streams of this process.
func Standard() Streams {
	s := Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		OutColor: IsTerminal(os.Stdout), ErrColor: IsTerminal(os.Stderr), Width: terminalWidth(os.Stdout),
	}
	if os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb" {
		s.ErrWidth = terminalWidth(os.Stderr)
	}
	return s
}

// Run executes one command line and returns its exit code.
func Run(args []string, s Streams) int {
	s.progress = newProgress(&s)
	root := newRoot(&s, commandsFor(&s, args)...)
	root.SetArgs(args)
	err := root.Execute()
	s.progress.end()
	for _, line := range errorLines(err) {
		fmt.Fprintln(s.Err, "planec: "+diag.Printable(line))
	}
	return exitCode(err)
}

// errorLines returns the lines of an error: exactly one for each joined error,
// whatever the names in it contain.
func errorLines(err error) []string {
	if err == nil || err.Error() == "" {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok && isJoin(err, joined.Unwrap()) {
		var lines []string
		for _, e := range joined.Unwrap() {
			lines = append(lines, errorLines(e)...)
		}
		return lines
	}
	inner := errors.Unwrap(err)
	if inner == nil {
		return []string{err.Error()}
	}
	lines := errorLines(inner)
	before, ok := strings.CutSuffix(err.Error(), inner.Error())
	if !ok || len(lines) < 2 {
		return []string{err.Error()}
	}
	for i := range lines {
		lines[i] = before + lines[i]
	}
	return lines
}

// isJoin reports whether an error joins the parts.
func isJoin(err error, parts []error) bool {
	var words []string
	for _, e := range parts {
		words = append(words, e.Error())
	}
	return err.Error() == strings.Join(words, "\n")
}

// Command is the command tree, for man pages.
func Command() *cobra.Command {
	s := &Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}
	return newRoot(s, allCommands(s)...)
}

// commandsFor returns the commands that a command line needs: all, but for the one that a
// page runs at every key, where making the others would take a tenth of the time.
func commandsFor(s *Streams, args []string) []*cobra.Command {
	if s.Decoded != nil && len(args) > 0 && args[0] == "report" {
		return []*cobra.Command{newReport(s)}
	}
	return allCommands(s)
}

func allCommands(s *Streams) []*cobra.Command {
	return append([]*cobra.Command{
		newCompile(s), newIR(s), newTrace(s), newMatrix(s), newLint(s), newExplain(s), newReport(s), newSynth(s), newDiff(s), newNetTest(s), newConfig(s), newVersion(s),
	}, kernelCommands(s)...)
}

func newRoot(s *Streams, commands ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:   "planec",
		Short: "Compile Kubernetes objects to the rules of a node's kernel",
		Long: `planec compiles Services, EndpointSlices and network policies to the rules that
one node's kernel runs: offline, byte for byte the same every time, and explained.`,
		Example: `  # The nftables rules of one node, from a directory of manifests
  planec compile -f manifests/ --node node-a --backend nftables

  # The rules of every node, one directory each
  planec compile -f manifests/ --all-nodes --backend nftables --out-dir rules/

  # What happens to a connection, and why
  planec trace -f manifests/ --from shop/web-0 --to svc/shop/cart --port 80

  # Who can reach whom, on every port
  planec matrix -f manifests/`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE:          help,
	}
	root.Flags().BoolP("version", "v", false, "version for planec")
	if s.Plugin {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl planec"}
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(commands...)
	root.SetUsageFunc(usage(s))
	complete(root)
	return root
}

// help is planec without a command. The version is no template of cobra's, because
// templates reach every exported method, which doubles the program in WebAssembly.
func help(cmd *cobra.Command, _ []string) error {
	if version, _ := cmd.Flags().GetBool("version"); version {
		_, err := io.WriteString(cmd.OutOrStdout(), buildinfo.Line("planec"))
		return written(err)
	}
	return cmd.Help()
}
