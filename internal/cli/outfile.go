package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// replaceFile writes a result to a file that the user named. The file appears whole: what was
// there before stays until then, and for good if writing fails. A link to a file, or to
// nothing, is an error: the author of a proposed change, who can place one in its checkout,
// would choose which file is written over. Devices and pipes are written
// to as they are.
func replaceFile(path string, write func(io.Writer) error) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return createFile(path, nil, write)
	case err != nil:
		return err
	case info.Mode().IsRegular():
		return createFile(path, info, write)
	case info.IsDir():
		return inputError(fmt.Errorf("%s is a directory", path))
	}
	if to, err := os.Stat(path); err != nil || to.Mode().IsRegular() || to.IsDir() {
		return inputError(fmt.Errorf("%s is a link, which is not followed: name the file that it leads to, or remove it", path))
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(writeBuffered(f, write), f.Close())
}

// createFile writes beside the file and renames. The new file has the rights of the old one.
func createFile(path string, old fs.FileInfo, write func(io.Writer) error) error {
	beside := filepath.Join(filepath.Dir(path), temporaryName())
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	err = writeBuffered(f, write)
	if old != nil {
		err = errors.Join(err, f.Chmod(old.Mode().Perm()))
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		os.Remove(beside) // the error is why it is of no use
	}
	return err
}

func writeBuffered(w io.Writer, write func(io.Writer) error) error {
	out := bufio.NewWriter(w)
	return errors.Join(write(out), out.Flush())
}
