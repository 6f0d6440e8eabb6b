package guest

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Share is how the guest sees files of the machine. It is passed on the kernel's command line,
// which the kernel passes to init as its environment where it does not know the words.
type Share struct {
	// Out is what has the shared directory: a path of hostfs, or the tag of a 9p device.
	Out string
	// NineP reports that files come through 9p devices. The kernel then starts this binary as
	// /init of an initial file system, in which Modules are the files of the modules that 9p
	// needs, in their order, and the machine's files have the tag [RootTag].
	NineP   bool
	Modules []string
}

// RootTag is the tag of the 9p device with the machine's files.
const RootTag = "planecroot"

const (
	outVariable     = "PLANEC_GUEST_OUT"
	modulesVariable = "PLANEC_GUEST_MODULES"
)

// CommandLine returns the words for the kernel's command line.
func (s *Share) CommandLine() []string {
	words := []string{outVariable + "=" + s.Out}
	if s.NineP {
		words = append(words, modulesVariable+"="+strings.Join(s.Modules, ","))
	}
	return words
}

// givenShare reads them from init's environment.
func givenShare() (s Share, is bool) {
	s.Out, is = os.LookupEnv(outVariable)
	if list, given := os.LookupEnv(modulesVariable); given {
		s.NineP, s.Modules = true, strings.Split(list, ",")
	}
	return s, is
}

// root makes the machine's files the root.
func (s *Share) root() error {
	if !s.NineP {
		return nil // the kernel has done it
	}
	for _, file := range s.Modules {
		if err := insertModule(file); err != nil {
			return fmt.Errorf("module %s: %w", file, err)
		}
	}
	if err := os.MkdirAll("/machine", 0o755); err != nil {
		return err
	}
	// The machine changes no file that a test reads.
	if err := syscall.Mount(RootTag, "/machine", "9p", syscall.MS_RDONLY, "trans=virtio,version=9p2000.L,cache=loose,msize=512000"); err != nil {
		return fmt.Errorf("mount /: %w", err)
	}
	if err := os.Chdir("/machine"); err != nil {
		return err
	}
	if err := syscall.Mount(".", "/", "", syscall.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the root: %w", err)
	}
	// The kernel's own threads share this process's root, and so find the helper for modules.
	if err := syscall.Chroot("."); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	return os.Chdir("/")
}

// out mounts the shared directory.
func (s *Share) out() error {
	if err := os.Mkdir(OutDir, 0o700); err != nil {
		return err
	}
	kind, source, options := "hostfs", "none", s.Out
	if s.NineP {
		kind, source, options = "9p", s.Out, "trans=virtio,version=9p2000.L,msize=512000"
	}
	if err := syscall.Mount(source, OutDir, kind, 0, options); err != nil {
		return fmt.Errorf("mount %s: %w", OutDir, err)
	}
	return nil
}
