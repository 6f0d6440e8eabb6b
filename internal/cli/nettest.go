package cli

import "github.com/spf13/cobra"

func newNetTest(s *Streams) *cobra.Command { return &cobra.Command{Use: "test"} }
