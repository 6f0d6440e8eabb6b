package cni

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// ConfDir is where runtimes look for CNI configurations (containerd's and CRI-O's default,
// and the kubelet's before).
const ConfDir = "/etc/cni/net.d"

// The bounds of a directory.
const (
	maxEntries = 1000
	maxFiles   = 64
)

// Unread is a file that could not be read, and why.
type Unread struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// confFiles returns the names of the configurations in a directory below root, in the order in
// which runtimes take them. A directory that does not exist has none.
func confFiles(root, dir string) ([]string, error) {
	names, err := entries(root, dir, maxEntries)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(n string) bool {
		return !slices.Contains([]string{".conflist", ".conf", ".json"}, filepath.Ext(n))
	})
	if len(names) > maxFiles {
		names = names[:maxFiles]
	}
	return names, nil
}

// entries returns the names in a directory below root, sorted; a directory with more than most
// of them is an error.
func entries(root, dir string, most int) ([]string, error) {
	path, err := below(root, dir)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(most + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(names) > most {
		return nil, fmt.Errorf("%s has more than %d entries", path, most)
	}
	slices.Sort(names)
	return names, nil
}

// readFile reads one configuration below root.
func readFile(root, file string) (conf, error) {
	path, err := below(root, file)
	if err != nil {
		return conf{}, err
	}
	// A named pipe would be waited for, and a device has no end.
	if info, err := os.Stat(path); err != nil {
		return conf{}, err
	} else if !info.Mode().IsRegular() {
		return conf{}, errors.New("it is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return conf{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConf+1))
	if err != nil {
		return conf{}, err
	}
	return readConf(filepath.Base(file), text, filepath.Ext(file) == ".conflist")
}
