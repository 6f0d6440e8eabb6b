package qemu

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/planec/planec/internal/testing/guest"
)

// Kernel is a kernel that can be run.
type Kernel struct {
	// Version is what uname -r prints there.
	Version string
	image   string
	modules string
	program string // QEMU's
}

// prefix names the machine of each kernel.
const prefix = "QEMU, Linux "

// Inside returns the version of the kernel that this process runs in, or "".
func Inside() string {
	version, is := strings.CutPrefix(guest.Inside(), prefix)
	if !is {
		return ""
	}
	return version
}

// Kernels returns those of a directory, sorted by version as text.
func Kernels(dir string) ([]Kernel, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	images, err := filepath.Glob(filepath.Join(dir, "*", "boot", "vmlinuz-*"))
	if err != nil {
		return nil, err
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("%s has no kernel (*/boot/vmlinuz-*): scripts/debian-kernels.sh gets some", dir)
	}
	out := make([]Kernel, 0, len(images))
	for _, image := range images {
		version := strings.TrimPrefix(filepath.Base(image), "vmlinuz-")
		k := Kernel{Version: version, image: image, modules: filepath.Join(filepath.Dir(filepath.Dir(image)), "lib", "modules", version), program: program}
		if !exists(filepath.Join(k.modules, "modules.dep")) {
			return nil, fmt.Errorf("%s lacks modules.dep: depmod -b %s %s makes it", k.modules, filepath.Dir(filepath.Dir(image)), version)
		}
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b Kernel) int { return strings.Compare(a.Version, b.Version) })
	return out, nil
}

// Run runs this binary inside, with other arguments: see [guest.Run].
func (k Kernel) Run(ctx context.Context, c guest.Config) (guest.Result, error) {
	return guest.Run(ctx, machine{k}, c)
}

// machine hides from users of a Kernel what only [guest.Run] calls.
type machine struct{ Kernel }

// Name implements [guest.Machine].
func (m machine) Name() string { return prefix + m.Version }

// ModuleDir implements [guest.Machine].
func (m machine) ModuleDir() string { return m.modules }
