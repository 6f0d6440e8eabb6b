package manifest

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// globs are patterns of excluded paths. A pattern without a slash matches a name at any
// depth; one with a slash matches a path below the given directory, where ** stands for
// any number of directories.
type globs [][]string

// newGlobs parses patterns in the syntax of path.Match.
func newGlobs(patterns []string) (globs, error) {
	var out globs
	for _, p := range patterns {
		parts := strings.Split(strings.Trim(filepath.ToSlash(p), "/"), "/")
		for _, part := range parts {
			if _, err := path.Match(part, ""); err != nil || part == "" {
				return nil, fmt.Errorf("the pattern %q to exclude is none: want names with *, ? and [...], and ** for directories", p)
			}
		}
		if len(parts) == 1 {
			parts = []string{"**", parts[0]}
		}
		out = append(out, parts)
	}
	return out, nil
}

// match reports whether a path below root, or a directory above it, is excluded.
func (g globs) match(root, at string) bool {
	rel, err := filepath.Rel(root, at)
	if err != nil || rel == "." || len(g) == 0 {
		return false
	}
	names := strings.Split(filepath.ToSlash(rel), "/")
	return slices.ContainsFunc(g, func(pattern []string) bool { return matchParts(pattern, names) })
}

// matchParts matches names one by one.
func matchParts(pattern, names []string) bool {
	for i, part := range pattern {
		if part == "**" {
			for n := range len(names) + 1 {
				if matchParts(pattern[i+1:], names[n:]) {
					return true
				}
			}
			return false
		}
		if len(names) == 0 {
			return false
		}
		if ok, _ := path.Match(part, names[0]); !ok { // newGlobs has validated it
			return false
		}
		names = names[1:]
	}
	return len(names) == 0
}
