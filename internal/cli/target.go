package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/applier"
	"github.com/planec/planec/internal/dataplane"
	"github.com/planec/planec/ir/diag"
)

// target is what the commands that know a kernel share: manifests or compiled
// files, the backend, and where the record is.
type target struct {
	input
	backend, artifact, stateDir string
	keepFlows, endDenied        bool
}

func (t *target) register(flags *pflag.FlagSet) {
	t.input.care = strictly
	t.input.register(flags)
	flags.StringVar(&t.backend, "backend", "", "backend to use: nftables, iptables, ipvs or ebpf")
	flags.StringVar(&t.artifact, "artifact", "", "directory with files that were compiled before, instead of manifests")
	registerStateDir(flags, &t.stateDir)
}

func registerStateDir(flags *pflag.FlagSet, dir *string) {
	flags.StringVar(dir, "state-dir", "/var/lib/planec", "where the last good artifacts are kept")
}

func newApplier(stateDir string) *applier.Applier {
	a := applier.New(dataplane.All(), applier.NewRecord(stateDir))
	a.Finish = true // a signal ends what has not begun
	return a
}

// entry compiles the manifests, or reads the files; the program is that of
// manifests.
func (t *target) entry(s *Streams) (*compiled, error) {
	if t.artifact != "" {
		if len(t.paths) > 0 {
			return nil, inputError(errors.New("give -f or --artifact, not both"))
		}
		e, err := readArtifact(t.artifact, t.backend)
		return &compiled{Entry: e}, err
	}
	l, err := t.load(s)
	if err != nil {
		return nil, err
	}
	node, err := l.node()
	if err != nil {
		return nil, err
	}
	selected, err := registry.Select(l.options(), t.backend)
	if err != nil || len(selected) != 1 {
		return nil, oneBackend(t.backend)
	}
	program, diags := l.cluster.Program(node)
	diags = append(l.diagnostics(), diags...)
	r, err := emit(program, selected, &diags)
	if err != nil {
		return nil, err
	}
	c := &compiled{
		Entry:   applier.Entry{Backend: t.backend, Artifact: r.artifacts[0].artifact},
		backend: selected[0], program: program, report: l.report,
	}
	return c, l.report(diags)
}

// readArtifact reads DIR/<files>, where DIR may name its backend.
func readArtifact(dir, backend string) (applier.Entry, error) {
	if backend == "" {
		backend = filepath.Base(filepath.Clean(dir))
	}
	e := applier.Entry{Backend: backend}
	if selected, err := registry.Select(backends.DefaultOptions(), backend); err != nil || len(selected) != 1 {
		return e, inputError(fmt.Errorf("--backend is missing, and %q is not the name of one", backend))
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return e, inputError(err)
	}
	for _, f := range files {
		if !f.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return e, inputError(err)
		}
		e.Artifact.Files = append(e.Artifact.Files, backends.File{Name: f.Name(), Data: data})
	}
	if len(e.Artifact.Files) == 0 {
		return e, inputError(fmt.Errorf("%s has no files", dir))
	}
	return e, nil
}

// printSteps prints a line for each step and one for all.
func printSteps(w io.Writer, steps []string, verb string) error {
	out := bufio.NewWriter(w)
	for _, step := range steps {
		fmt.Fprintln(out, diag.Printable(step)) // errors stay in the writer
	}
	if len(steps) == 0 {
		fmt.Fprintln(out, "nothing "+verb)
	}
	if err := out.Flush(); err != nil {
		return systemError(fmt.Errorf("writing to stdout: %w", err))
	}
	return nil
}
