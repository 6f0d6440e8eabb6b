package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/ir/diag"
)

func newConfigValidate(s *Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE...",
		Short: "Say what is wrong with files of settings",
		Long: `validate reads NodeConfigs and configurations of kube-proxy as all commands do, and says
every mistake with its line. It exits 1 when there is one.`,
		Example: "  planec config validate node.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return validate(s, args) },
	}
}

func validate(s *Streams, paths []string) error {
	p := &printer{out: s.Err, color: s.ErrColor}
	wrong := false
	for _, path := range paths {
		text, err := readConfig(s, path)
		if err != nil {
			return inputError(err)
		}
		_, diags, err := nodeconfig.Read(path, text)
		if err != nil {
			wrong = true
			for _, line := range errorLines(err) {
				fmt.Fprintln(s.Out, diag.Printable(line))
			}
			continue
		}
		p.print(diags)
		fmt.Fprintf(s.Out, "%s: a valid %s\n", diag.Printable(path), nodeconfig.Kind(text))
	}
	if wrong {
		return finding()
	}
	return nil
}

// readConfig reads a file of settings, or the standard input for "-".
func readConfig(s *Streams, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(s.In, 2<<20)) // more than Read accepts
	}
	return nodeconfig.Open(path)
}
