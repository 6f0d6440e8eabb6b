package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends/ebpf"
)

// maxImage bounds what show reads: an image of 100,000 Services is a tenth.
const maxImage = 1 << 30

func newShow(s *Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Print a compiled file that is not text: an eBPF map image",
		Long: `show reads an eBPF map image (maps.bin), verifies every digest in it, and prints
one line for each entry, as maps.txt has them.`,
		Example: `  planec compile -f manifests/ --node node-a --backend ebpf --out-dir rules/
  planec show rules/node-a/ebpf/maps.bin`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return inputError(err)
			}
			defer f.Close() // only read
			data, err := io.ReadAll(io.LimitReader(f, maxImage))
			if err != nil {
				return systemError(err)
			}
			img, err := ebpf.Read(data)
			if err != nil {
				return inputError(fmt.Errorf("%s: %w", args[0], err))
			}
			if _, err := s.Out.Write(img.Text()); err != nil {
				return systemError(fmt.Errorf("writing to stdout: %w", err))
			}
			return nil
		},
	}
}
