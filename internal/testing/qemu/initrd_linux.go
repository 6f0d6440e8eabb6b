package qemu

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// mounting are the modules with which a kernel mounts the machine's files, as far as it has not
// built them in.
func mounting() []string { return []string{"virtio_pci", "9p", "9pnet_virtio"} }

// moduleFiles returns the files of modules below dir, each after those that it needs. Modules that
// the kernel has built in have none.
func moduleFiles(dir string, names []string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "modules.dep"))
	if err != nil {
		return nil, err
	}
	var out []string
	seen := make(map[string]bool)
	for _, name := range names {
		for line := range strings.Lines(string(text)) {
			file, needs, _ := strings.Cut(strings.TrimSpace(line), ":")
			if base, _, _ := strings.Cut(path.Base(file), ".ko"); base != name {
				continue
			}
			list := append([]string{file}, strings.Fields(needs)...)
			for i := len(list) - 1; i >= 0; i-- { // modprobe's order of removal
				if !seen[list[i]] {
					seen[list[i]], out = true, append(out, list[i])
				}
			}
		}
	}
	return out, nil
}

// writeInitrd writes an initial file system with the binary as /init and the modules in /. It
// returns the modules' paths in it.
func writeInitrd(to, binary, moduleDir string) (paths []string, err error) {
	if err := static(binary); err != nil {
		return nil, err
	}
	files, err := moduleFiles(moduleDir, mounting())
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	a := archive{w: w}
	a.directory("dev")
	a.device("dev/console", 5, 1)
	a.file("init", binary)
	for _, file := range files {
		name := path.Base(file)
		paths = append(paths, "/"+name)
		a.file(name, filepath.Join(moduleDir, file))
	}
	a.end()
	return paths, errors.Join(a.err, w.Flush())
}

// static wants a binary that needs no other files.
func static(binary string) error {
	f, err := elf.Open(binary)
	if err != nil {
		return err
	}
	defer f.Close()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return fmt.Errorf("%s needs shared libraries, which the kernel has not yet: build it with CGO_ENABLED=0", binary)
	}
	return nil
}

// archive writes cpio's format newc (Documentation/driver-api/early-userspace/buffer-format.rst
// of Linux). The first error stays.
type archive struct {
	w     io.Writer
	inode int
	err   error
}

// Modes of files in an archive.
const (
	regular   = 0o100755
	folder    = 0o040755
	character = 0o020600
)

// entry writes a header and size bytes of content.
func (a *archive) entry(name string, mode, major, minor int, size int64, content io.Reader) {
	if a.err != nil {
		return
	}
	a.inode++
	head := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		a.inode, mode, 0, 0, 1, 0, size, 0, 0, major, minor, len(name)+1, 0, name)
	a.write(head + strings.Repeat("\x00", (4-len(head)%4)%4))
	if size == 0 || a.err != nil {
		return
	}
	if _, err := io.CopyN(a.w, content, size); err != nil {
		a.err = fmt.Errorf("%s: %w", name, err)
		return
	}
	a.write(strings.Repeat("\x00", int((4-size%4)%4)))
}

func (a *archive) write(text string) {
	if a.err == nil {
		_, a.err = io.WriteString(a.w, text)
	}
}

func (a *archive) directory(name string) { a.entry(name, folder, 0, 0, 0, nil) }

func (a *archive) device(name string, major, minor int) {
	a.entry(name, character, major, minor, 0, nil)
}

func (a *archive) file(name, from string) {
	if a.err != nil {
		return
	}
	f, err := os.Open(from)
	if err != nil {
		a.err = err
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		a.err = err
		return
	}
	a.entry(name, regular, 0, 0, info.Size(), f)
}

func (a *archive) end() { a.entry("TRAILER!!!", 0, 0, 0, 0, nil) }
