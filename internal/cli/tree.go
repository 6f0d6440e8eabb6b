package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/planec/planec/backends"
)

// tree is a directory of rules, DIR/<node>/<backend>/<file>. A pull request may put
// anything there, so links are never followed, even to other places in it, and only
// regular files are read.
type tree struct {
	root *os.Root
	dir  string
}

// errOdd says that the tree has something that compile does not write.
var errOdd = errors.New("")

// openTree opens an existing directory; a missing one has no files.
func openTree(dir string) (*tree, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return &tree{dir: dir}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening a directory of rules: %w", err)
	}
	return &tree{root, dir}, nil
}

// makeTree creates the directory if it is missing.
func makeTree(dir string) (*tree, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making a directory for rules: %w", err)
	}
	return openTree(dir)
}

func (t *tree) close() {
	if t.root != nil {
		t.root.Close() // nothing is buffered
	}
}

// at returns a name for people.
func (t *tree) at(name string) string { return filepath.Join(t.dir, name) }

// odd returns the error for an entry of an unexpected type.
func (t *tree) odd(name string, info fs.FileInfo, want string) error {
	is := "a device or the like"
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		is = "a link"
	case mode.IsDir():
		is = "a directory"
	case mode.IsRegular():
		is = "a file"
	}
	return fmt.Errorf("%wnot %s: %s is %s", errOdd, want, t.at(name), is)
}

// inDirectory checks that everything on the way to an entry is a directory.
func (t *tree) inDirectory(name string) error {
	if t.root == nil {
		return fs.ErrNotExist
	}
	for i := 0; i < len(name); i++ {
		if !os.IsPathSeparator(name[i]) {
			continue
		}
		info, err := t.root.Lstat(name[:i])
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return t.odd(name[:i], info, "a directory")
		}
	}
	return nil
}

// regular returns the description of a regular file.
func (t *tree) regular(name string) (fs.FileInfo, error) {
	if err := t.inDirectory(name); err != nil {
		return nil, err
	}
	info, err := t.root.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = t.odd(name, info, "a regular file")
	}
	return info, err
}

// read returns the content of a regular file, but at most most+1 bytes.
func (t *tree) read(name string, most int) ([]byte, error) {
	before, err := t.regular(name)
	if err != nil {
		return nil, err
	}
	f, err := t.root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	// A file that was replaced meanwhile is not read.
	if now, err := f.Stat(); err != nil || !os.SameFile(before, now) {
		return nil, errors.Join(err, fmt.Errorf("%s changes while it is read", t.at(name)))
	}
	return io.ReadAll(io.LimitReader(f, int64(most)+1))
}

// entries lists a directory; a missing one is empty.
func (t *tree) entries(name string) ([]fs.DirEntry, error) {
	err := t.inDirectory(name + string(filepath.Separator))
	if err == nil {
		var f *os.File
		if f, err = t.root.Open(name); err == nil {
			defer f.Close() // only read
			return f.ReadDir(-1)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return nil, err
}

// isDirectory reports whether there is a directory, reached without links.
func (t *tree) isDirectory(name string) bool {
	return t.inDirectory(name+string(filepath.Separator)) == nil
}

// writeArtifact writes an artifact's files below a directory of the tree; each
// appears atomically.
func (t *tree) writeArtifact(dir string, a backends.Artifact) error {
	for i, part := 0, ""; i <= len(dir); i++ {
		if i < len(dir) && !os.IsPathSeparator(dir[i]) {
			continue
		}
		part = dir[:i]
		if err := t.root.Mkdir(part, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return systemError(fmt.Errorf("making a directory for rules: %w", err))
		}
	}
	if err := t.inDirectory(dir + string(filepath.Separator)); err != nil {
		return systemError(fmt.Errorf("writing rules: %w", err))
	}
	if err := t.sweep(dir); err != nil {
		return systemError(fmt.Errorf("writing rules: %w", err))
	}
	mode := fs.FileMode(0o644)
	if a.Private {
		mode = 0o600
	}
	for _, f := range a.Files {
		if err := t.write(filepath.Join(dir, f.Name), f.Data, mode); err != nil {
			return systemError(fmt.Errorf("writing rules: %w", err))
		}
	}
	return nil
}

// sweep removes what a compile has left in a directory that was killed while it wrote: apply takes
// no directory with a file that no backend writes.
func (t *tree) sweep(dir string) error {
	list, err := t.entries(dir)
	for _, entry := range list {
		if isTemporary(entry.Name()) && entry.Type().IsRegular() && err == nil {
			err = t.root.Remove(filepath.Join(dir, entry.Name()))
		}
	}
	return err
}

// temporaryPrefix begins the name of a file that is being written; the text of [rand.Text] follows.
const temporaryPrefix = ".planec-"

func temporaryName() string { return temporaryPrefix + strings.ToLower(rand.Text()) }

// isTemporary reports whether a name is one that [temporaryName] makes.
func isTemporary(name string) bool {
	text, found := strings.CutPrefix(name, temporaryPrefix)
	return found && len(text) == len(rand.Text()) && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// write replaces a file by renaming a complete one.
func (t *tree) write(name string, data []byte, mode fs.FileMode) error {
	if _, err := t.regular(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	temporary := filepath.Join(filepath.Dir(name), temporaryName())
	f, err := t.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer t.root.Remove(temporary) // after the rename it does not exist
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return t.root.Rename(temporary, name)
}
