package api

import (
	"fmt"
	"os"
	"path/filepath"
)

// short returns a path of a socket that is not too long, and what to do when it is
// needed no more: one through the descriptor of its directory.
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
