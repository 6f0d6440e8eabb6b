// Package buildinfo identifies the build of planec and the kernel that runs it.
package buildinfo

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version is the version that the Go toolchain recorded for this build: that
// of the module, or "(devel)".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// Line is the output of `version` and --version for a program.
func Line(program string) string {
	return fmt.Sprintf("%s %s %s %s/%s\n", program, Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
