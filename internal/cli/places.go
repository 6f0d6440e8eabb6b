package cli

import (
	"os"
	"path/filepath"

	"github.com/planec/planec/internal/review/ciformat"
)

// places are where files are in the repository, for what CI systems read. The first path
// stands for what no file says.
func places(paths []string) ciformat.Places {
	p := ciformat.Places{Whole: "."}
	p.Working, _ = os.Getwd() // names stay as they are without it
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

// standardInput is the path that stands for it.
const standardInput = "-"
