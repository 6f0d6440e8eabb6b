package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/base/buildinfo"
)

func newVersion(s *Streams) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of planec",
		Example: "  planec version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(s.Out, buildinfo.Line("planec"))
			return err
		},
	}
}
