package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// open opens a file for reading without ever waiting: a named pipe without a
// writer reads as empty, which is an error, and devices are rejected.
func open(path string) (io.ReadCloser, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read input: %w", err)
	}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read input: %w", err)
		}
		return f, nil
	case mode&fs.ModeNamedPipe != 0:
		f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
		if err != nil {
			return nil, fmt.Errorf("read input: %w", err)
		}
		return &pipe{File: f}, nil
	case mode.IsDir():
		return nil, fmt.Errorf("read input: %s is a directory", path)
	}
	return nil, fmt.Errorf("read input: %s is a device or a socket; pipe it to - instead", path)
}

// pipe is a named pipe, such as the shell's <(command). A pipe that ends
// before its first byte had no writer.
type pipe struct {
	*os.File
	some bool
}

var errNoWriter = errors.New("the pipe is empty, or no process writes to it")

// Read implements io.Reader.
func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.File.Read(b)
	if n == 0 && err == io.EOF && !p.some {
		return 0, errNoWriter
	}
	p.some = p.some || n > 0
	return n, err
}
