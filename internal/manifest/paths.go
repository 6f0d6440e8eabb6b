package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// standardInput is how a path means it.
const standardInput = "-"

// Files returns the files that the paths mean, as [Load] reads them: each once
// and sorted, so that the order of the command line does not matter.
func Files(paths []string, recursive bool) ([]string, error) {
	var all []string
	for _, path := range paths {
		if path == standardInput {
			all = append(all, path)
			continue
		}
		if path == "" {
			return nil, errors.New("an empty path")
		}
		found, err := filesUnder(path, recursive)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		if len(all) > maxFiles {
			return nil, fmt.Errorf("%s: more than %d files", path, maxFiles)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func filesUnder(path string, recursive bool) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read input: %w", err)
	}
	if !info.IsDir() {
		return []string{filepath.Clean(path)}, nil
	}
	var found []string
	// WalkDir does not follow links to directories, so it cannot run in circles.
	err = filepath.WalkDir(filepath.Clean(path)+string(filepath.Separator), func(at string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if !recursive && filepath.Clean(at) != filepath.Clean(path) {
				return filepath.SkipDir
			}
			return nil
		case !hasManifestName(at):
			return nil
		}
		regular, err := isRegular(at)
		if regular {
			found = append(found, filepath.Clean(at))
		}
		if len(found) > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read directory %s: %w", path, err)
	}
	return found, nil
}

// isRegular follows links, as those of a mounted ConfigMap. Links to directories,
// pipes and devices are not searched.
func isRegular(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	return info.Mode().IsRegular(), nil
}

// hasManifestName reports whether kubectl would read the file when it is given
// the directory.
func hasManifestName(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}
