package cli

import "github.com/spf13/pflag"

func registerStateDir(flags *pflag.FlagSet, dir *string) {
	flags.StringVar(dir, "state-dir", "/var/lib/planec", "where the last good artifacts are kept")
}
