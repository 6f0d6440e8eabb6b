package cli

import (
	"os"
	"path/filepath"

	"github.com/planec/planec/internal/review/ciformat"
)

// places converts file names to paths in the repository, for CI systems. The first path
// represents findings without a file.
func places(paths []string) ciformat.Places {
	p := ciformat.Places{Whole: "."}
	p.Working, _ = os.Getwd() // without it, names stay unchanged
	for i, path := range paths {
		if path == standardInput || path == "" {
			continue
		}
		if i == 0 || p.Whole == "." {
			p.Whole = path
		}
		if abs, err := filepath.Abs(path); err == nil {
			p.Roots = append(p.Roots, abs)
		}
	}
	return p
}

// standardInput is the path of standard input.
const standardInput = "-"
