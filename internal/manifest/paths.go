package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// standardInput is how a path means it.
const standardInput = "-"

// Files returns the files that the paths mean, as [Load] reads them: each once
// and sorted, so that the order of the command line does not matter.
func Files(paths []string, recursive bool) ([]string, error) {
	found, err := find(paths, recursive)
	return found.files, err
}

// Skipped is an entry of a directory that has a manifest's name and is not read.
type Skipped struct {
	Path string
	// Why says what it is: "a directory".
	Why string
}

// found is what paths mean.
type found struct {
	files   []string
	skipped []Skipped
}

func find(paths []string, recursive bool) (found, error) {
	var all found
	for _, path := range paths {
		if path == standardInput {
			all.files = append(all.files, path)
			continue
		}
		if path == "" {
			return found{}, errors.New("an empty path")
		}
		if err := all.under(path, recursive); err != nil {
			return found{}, err
		}
		if len(all.files) > maxFiles {
			return found{}, fmt.Errorf("%s: more than %d files", path, maxFiles)
		}
	}
	slices.Sort(all.files)
	all.files = slices.Compact(all.files)
	return all, nil
}

// under adds what is at one path.
func (f *found) under(path string, recursive bool) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read input: %w", err)
	}
	if !info.IsDir() {
		f.files = append(f.files, filepath.Clean(path))
		return nil
	}
	// WalkDir does not follow links to directories, so it cannot run in circles.
	err = filepath.WalkDir(filepath.Clean(path)+string(filepath.Separator), func(at string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if recursive || filepath.Clean(at) == filepath.Clean(path) {
				return nil
			}
			if hasManifestName(at) {
				f.skip(at, "a directory")
			}
			return filepath.SkipDir
		case !hasManifestName(at):
			return nil
		}
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		if why := notRegular(info.Mode()); why != "" {
			f.skip(at, why)
		} else {
			f.files = append(f.files, filepath.Clean(at))
		}
		if len(f.files) > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read directory %s: %w", path, err)
	}
	return nil
}

// skip remembers what is not read; of a hostile directory not all of it.
func (f *found) skip(path, why string) {
	if len(f.skipped) < maxDiagnostics {
		f.skipped = append(f.skipped, Skipped{filepath.Clean(path), why})
	}
}

// notRegular says what else than a regular file it is, or "". Links have been
// followed, as those of a mounted ConfigMap must be.
func notRegular(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return ""
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// Entry is an entry of a directory that has a manifest's name.
type Entry struct {
	Path string
	// Skip says why it is nothing to read: a directory, a pipe, a link that leads
	// nowhere; "" for a regular file.
	Skip string
	// Err is why it is not known what it is.
	Err error
}

// Entries lists what a directory has that [Load] would read, or skip, sorted by
// name. What is gone while it is looked at is left out. The error is that the
// directory itself cannot be read.
func Entries(dir string) ([]Entry, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	var out []Entry
	for _, e := range list {
		if !hasManifestName(e.Name()) {
			continue
		}
		if len(out) == maxFiles {
			return nil, fmt.Errorf("read directory %s: more than %d files", dir, maxFiles)
		}
		at := filepath.Join(dir, e.Name())
		info, err := os.Stat(at)
		switch {
		case err == nil:
			out = append(out, Entry{Path: at, Skip: notRegular(info.Mode())})
		case errors.Is(err, syscall.ELOOP):
			out = append(out, Entry{Path: at, Skip: "a link that leads to itself"})
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
			if _, gone := os.Lstat(at); gone == nil {
				out = append(out, Entry{Path: at, Skip: "a link to what is not there"})
			}
		default:
			out = append(out, Entry{Path: at, Err: err})
		}
	}
	return out, nil
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
