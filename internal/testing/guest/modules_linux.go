package guest

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// moduleDirFile contains the path of the modules, for the helper that the kernel
// starts without an environment.
const moduleDirFile = "/run/planec-guest-modules"

// setUpModules loads the wanted modules, and makes this binary the helper that the
// kernel calls for others (modprobe -q -- NAME).
func setUpModules(s settings) error {
	if err := os.WriteFile(moduleDirFile, []byte(s.ModuleDir), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/kernel/modprobe", []byte(s.Binary), 0); err != nil {
		return err
	}
	d, err := readModules(s.ModuleDir)
	if err != nil {
		return err
	}
	for _, name := range s.Modules {
		if err := d.load(name); err != nil {
			return err
		}
	}
	return nil
}

// loadForKernel returns modprobe's exit status.
func loadForKernel(name string) int {
	dir, err := os.ReadFile(moduleDirFile)
	if err != nil {
		return 1
	}
	d, err := readModules(string(dir))
	if err != nil || d.load(name) != nil {
		return 1
	}
	return 0
}

// modules is depmod's description of a directory of modules.
type modules struct {
	dir string
	// files maps a module to its file and those of its dependencies, in modprobe's
	// order of removal: the last is loaded first.
	files   map[string][]string
	aliases [][2]string
}

func readModules(dir string) (modules, error) {
	d := modules{dir: dir, files: make(map[string][]string)}
	dep, err := os.ReadFile(filepath.Join(dir, "modules.dep"))
	if err != nil {
		return d, err
	}
	for line := range strings.Lines(string(dep)) {
		if file, needs, found := strings.Cut(line, ":"); found {
			name, _, _ := strings.Cut(path.Base(file), ".ko")
			d.files[canonical(name)] = append([]string{file}, strings.Fields(needs)...)
		}
	}
	alias, err := os.ReadFile(filepath.Join(dir, "modules.alias"))
	if err != nil {
		return d, err
	}
	for line := range strings.Lines(string(alias)) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "alias" {
			d.aliases = append(d.aliases, [2]string{words[1], words[2]})
		}
	}
	return d, nil
}

// canonical returns the name of a module in the kernel.
func canonical(name string) string { return strings.ReplaceAll(name, "-", "_") }

// load loads a module by its name or an alias.
func (d modules) load(name string) error {
	if d.files[canonical(name)] != nil {
		return d.loadFiles(canonical(name))
	}
	found := false
	for _, a := range d.aliases {
		if fits, _ := path.Match(a[0], name); fits {
			found = true
			if err := d.loadFiles(canonical(a[1])); err != nil {
				return err
			}
		}
	}
	if !found {
		return fmt.Errorf("module %s: there is none in %s", name, d.dir)
	}
	return nil
}

func (d modules) loadFiles(name string) error {
	files := d.files[name]
	for i := len(files) - 1; i >= 0; i-- {
		if err := insertModule(filepath.Join(d.dir, files[i])); err != nil {
			return fmt.Errorf("module %s: %s: %w", name, files[i], err)
		}
	}
	return nil
}

// insertModule loads one module, unless the kernel has it.
func insertModule(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := 0
	if path.Ext(file) != ".ko" {
		flags = unix.MODULE_INIT_COMPRESSED_FILE
	}
	if err := unix.FinitModule(int(f.Fd()), "", flags); err != nil && err != syscall.EEXIST {
		return err
	}
	return nil
}
