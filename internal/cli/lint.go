package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/ir/diag"
)

func newLint(s *Streams) *cobra.Command {
	var in input
	var names []string
	var exitZero bool
	cmd := &cobra.Command{
		Use:   "lint -f PATH...",
		Short: "Say what is wrong with manifests, without compiling them",
		Long: `lint prints what compile would complain about, for the node given or for all, and
what each backend cannot express or does differently. It exits 1 when there are
warnings or errors; those of backends count when --backend names them.`,
		Example: `  planec lint -f manifests/ -R
  kustomize build . | planec lint -f - --fail-on-warn`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			l, err := in.load(s)
			if err != nil {
				return err
			}
			selected, err := registry.Select(l.options(), names...)
			if err != nil {
				return inputError(err)
			}
			diags := l.lint(selected)
			p, err := in.printer(s.Out, s.Color)
			if err != nil {
				return err
			}
			diags = l.refine(diags)
			p.print(diags)
			if len(names) == 0 {
				// What a backend cannot do is a finding for who uses it.
				diags = slices.DeleteFunc(diags, func(d diag.Diagnostic) bool {
					return d.Code == diag.NotExpressible || d.Code == diag.Approximated
				})
			}
			errors, warnings := diags.Count(diag.Error), diags.Count(diag.Warning)
			fmt.Fprintf(s.Err, "%d errors, %d warnings\n", errors, warnings)
			if errors+warnings > 0 && !exitZero {
				return finding()
			}
			return nil
		},
	}
	in.register(cmd.Flags())
	cmd.Flags().StringSliceVar(&names, "backend", nil, "backends to ask; all by default")
	cmd.Flags().BoolVar(&exitZero, "exit-zero", false, "exit 0 whatever is found")
	return cmd
}

// lint collects the diagnostics of all stages.
func (l *loaded) lint(selected []backends.Backend) diag.List {
	diags := l.diagnostics()
	nodes := l.cluster.Nodes()
	if l.nodeName != "" {
		nodes = []string{l.nodeName}
	}
	for _, node := range nodes {
		program, nodeDiags := l.cluster.Program(node)
		diags = append(diags, nodeDiags...)
		for _, b := range selected {
			diags = append(diags, backends.Check(b, program)...)
		}
	}
	diags.Sort()
	return diags
}
