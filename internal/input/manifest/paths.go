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

// standardInput is the path of standard input.
const standardInput = "-"

// Files is [FilesOf] paths.
func Files(paths []string, recursive bool) ([]string, error) {
	return FilesOf(Options{Paths: paths, Recursive: recursive})
}

// FilesOf returns the files that [Load] reads with these options: sorted and
// without duplicates, so that the order of the command line does not matter.
func FilesOf(o Options) ([]string, error) {
	found, err := find(&o)
	return found.files, err
}

// notRegular describes a file that is not regular, or returns "". Links have
// been followed, as a mounted ConfigMap requires.
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

// Entry is an entry of a directory with the name of a manifest.
type Entry struct {
	Path string // path of the entry, which starts with that of the directory
	// Skip says why it cannot be read: a directory, a pipe, a dangling link; ""
	// for a regular file.
	Skip string
	// Err is why its type is unknown.
	Err error
}

// Entries lists the entries of a directory that [Load] would read, or skip,
// sorted by name. It omits entries that disappear meanwhile. An error means
// that the directory itself cannot be read.
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

// hasManifestName reports whether kubectl would read the file when given its
// directory.
func hasManifestName(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}
