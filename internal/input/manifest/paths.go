package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// standardInput is how a path means it.
const standardInput = "-"

// Files returns the files that the paths mean, as [Load] reads them: each once
// and sorted, so that the order of the command line does not matter.
func Files(paths []string, recursive bool) ([]string, error) {
	found, err := find(&Options{Paths: paths, Recursive: recursive})
	return found.files, err
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
	Path string // the directory's path and the entry's name
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
