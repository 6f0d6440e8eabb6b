package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/planec/planec/ir/diag"
)

// skipped is an entry of a directory that is not read.
type skipped struct {
	code diag.Code
	path string
	// why is the message of its diagnostic.
	why string
}

// found holds the files behind paths.
type found struct {
	files   []string
	skipped []skipped
	// walked are the files found in directories; not all of them need be
	// manifests.
	walked map[string]bool
	// left are the files that a kustomization changes.
	left map[string]bool
}

func find(o *Options) (found, error) {
	all := found{walked: make(map[string]bool), left: make(map[string]bool)}
	excluded, err := newGlobs(o.Exclude)
	if err != nil {
		return found{}, err
	}
	for _, path := range o.Paths {
		if path == standardInput {
			all.files = append(all.files, path)
			continue
		}
		if path == "" {
			return found{}, errors.New("an empty path")
		}
		w := walk{found: &all, root: filepath.Clean(path), recursive: o.Recursive, excluded: excluded}
		if err := w.run(); err != nil {
			return found{}, err
		}
		if len(all.files) > maxFiles {
			return found{}, fmt.Errorf("%s: more than %d files", path, maxFiles)
		}
	}
	all.files = slices.DeleteFunc(all.files, func(file string) bool { return all.walked[file] && all.left[file] })
	slices.Sort(all.files)
	all.files = slices.Compact(all.files)
	return all, nil
}

// walk collects the files at one path.
type walk struct {
	*found
	root      string
	recursive bool
	excluded  globs
}

func (w *walk) run() error {
	info, err := os.Stat(w.root)
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		return fmt.Errorf("read input: %s: %w", failed.Path, failed.Err) // without the name of a system call
	} else if err != nil {
		return fmt.Errorf("read input: %w", err)
	}
	if !info.IsDir() {
		w.files = append(w.files, w.root)
		return nil
	}
	// WalkDir does not follow links to directories, so it terminates.
	err = filepath.WalkDir(w.root+string(filepath.Separator), func(at string, entry fs.DirEntry, err error) error {
		at = filepath.Clean(at)
		switch {
		case err != nil:
			return err
		case w.excluded.match(w.root, at) && entry.IsDir():
			return filepath.SkipDir
		case w.excluded.match(w.root, at):
			return nil
		case entry.IsDir():
			return w.directory(at)
		case hasManifestName(at):
			return w.file(at)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read directory %s: %w", w.root, err)
	}
	return nil
}

// directory determines the type of a directory.
func (w *walk) directory(at string) error {
	switch name := filepath.Base(at); {
	case at == w.root:
	case !w.recursive:
		if hasManifestName(at) {
			w.skip(diag.SkippedFile, at, "it is a directory and is not read")
		}
		return filepath.SkipDir
	case strings.HasPrefix(name, "."), name == "vendor", name == "node_modules":
		return filepath.SkipDir // settings of editors, and files of other programs
	case (name == "templates" || name == "charts") && isRegular(filepath.Join(filepath.Dir(at), chartFile)):
		return filepath.SkipDir
	}
	if chart := filepath.Join(at, chartFile); isRegular(chart) {
		w.skip(diag.UnrenderedChart, chart, "the templates of this chart are not read: they are no objects yet")
	}
	return w.kustomization(at)
}

// chartFile identifies a Helm chart.
const chartFile = "Chart.yaml"

func (w *walk) file(at string) error {
	info, err := os.Stat(at)
	if err != nil {
		return err
	}
	if why := notRegular(info.Mode()); why != "" {
		w.skip(diag.SkippedFile, at, "it is "+why+" and is not read")
		return nil
	}
	w.files, w.walked[at] = append(w.files, at), true
	if len(w.files) > maxFiles {
		return fmt.Errorf("more than %d files", maxFiles)
	}
	return nil
}

// skip records an entry that is not read, up to a bound.
func (f *found) skip(code diag.Code, path, why string) {
	if len(f.skipped) < maxDiagnostics {
		f.skipped = append(f.skipped, skipped{code, path, why})
	}
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
