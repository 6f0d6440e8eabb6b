package applier

import (
	"fmt"
	"io"
	"os"
)

// Bounds of the files of a record, in bytes. The largest are images of eBPF: 30,000 Services take
// some tens of megabytes.
const (
	maxRecord = 1 << 30
	maxSeal   = 1 << 20
)

// open opens a file of a record, with its size. It never waits: a pipe, a device or a directory in
// its place is an error, and so is a file of more than most bytes.
func open(path string, most int64) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s is no file", path)
	case info.Size() > most:
		err = fmt.Errorf("%s has %d bytes, more than %d", path, info.Size(), most)
	default:
		return f, info.Size(), nil
	}
	f.Close() // only read
	return nil, 0, err
}

// readFile reads a file that [open] opens.
func readFile(path string, most int64) ([]byte, error) {
	f, size, err := open(path, most)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	data := make([]byte, size)
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}
