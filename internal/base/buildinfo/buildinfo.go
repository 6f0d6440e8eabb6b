// Package buildinfo says which build of planec this is.
package buildinfo

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version is what the Go toolchain recorded about this build: a version of the
// module, or "(devel)".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// Line is what `version` and --version print of a program.
func Line(program string) string {
	return fmt.Sprintf("%s %s %s %s/%s\n", program, Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
