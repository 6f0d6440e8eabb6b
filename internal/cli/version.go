package cli

import (
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/base/buildinfo"
)

// buildVersions are what `planec version -o json` prints.
type buildVersions struct {
	Version string `json:"version"` // of planec, as Go's toolchain recorded it
	Go      string `json:"go"`      // the toolchain, such as go1.26.8
	System  string `json:"system"`  // operating system and processor, such as linux/amd64
}

func newVersion(s *Streams) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of planec",
		Example: "  planec version\n  planec version -o json",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if format == "json" {
				return written(encode(s.Out, buildVersions{buildinfo.Version(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}))
			}
			_, err := io.WriteString(s.Out, buildinfo.Line("planec"))
			return written(err)
		},
	}
	formatFlag(cmd.Flags(), &format, "text", "json")
	return cmd
}
