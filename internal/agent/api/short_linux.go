package api

import (
	"fmt"
	"os"
	"path/filepath"
)

// short returns an equivalent socket path that is not too long, through a
// descriptor of its directory, and a function that releases it.
func short(path string) (string, func(), error) {
	if len(path) <= longest {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)), func() { _ = dir.Close() }, nil
}
