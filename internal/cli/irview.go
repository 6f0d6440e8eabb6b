package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/ir"
)

func newIR(s *Streams) *cobra.Command {
	var in input
	var format string
	cmd := &cobra.Command{
		Use:   "ir -f PATH... --node NAME",
		Short: "Print what must happen on a node, before any backend",
		Long: `ir prints the intermediate representation: the frontends, pools and facts of one
node that every backend is emitted from. The text form is made for diffs; all
three forms say the same.`,
		Example: `  planec ir -f manifests/ --node node-a
  planec ir -f manifests/ --node node-a -o json | jq '.frontends[].match'`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			l, err := in.load(s)
			if err != nil {
				return err
			}
			node, err := l.node()
			if err != nil {
				return err
			}
			program, diags := l.cluster.Program(node)
			if err := l.report(append(l.diagnostics(), diags...)); err != nil {
				return err
			}
			out, err := formatProgram(program, format)
			if err != nil {
				return err
			}
			_, err = s.Out.Write(out)
			return written(err)
		},
	}
	in.register(cmd.Flags())
	formatFlag(cmd.Flags(), &format, "text", "json", "yaml")
	return cmd
}

func formatProgram(p *ir.Program, format string) ([]byte, error) {
	switch format {
	case "text":
		return p.Text(), nil
	case "json":
		return p.JSON()
	case "yaml":
		j, err := p.JSON()
		if err != nil {
			return nil, err
		}
		return yaml.JSONToYAML(j)
	}
	return nil, inputError(fmt.Errorf("-o %q: want text, json or yaml", format))
}
