//go:build !js

package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
)

// target is the common part of commands about a kernel: manifests or compiled
// files, the backend, and the place of the record.
type target struct {
	input
	backend, artifact, stateDir string
	cgroup                      string
	keepFlows, endDenied        bool
	// idle returns the given flags that apply only to manifests.
	idle func() []string
	// given returns those of some flags that were given, as they are written.
	given func(names ...string) []string
}

// onlyOfPrograms are the flags of settings that only ebpf has. A file of settings may have them
// for nodes of several backends.
func onlyOfPrograms() []string {
	return []string{"direct-pods", "policies-at-interfaces", "untracked-pods"}
}

func (t *target) register(flags *pflag.FlagSet) {
	t.input.care = strictly
	t.input.register(flags)
	t.input.settings.RegisterDetection(flags)
	t.given = func(names ...string) (given []string) {
		for _, name := range names {
			if flags.Changed(name) {
				given = append(given, "--"+name)
			}
		}
		return given
	}
	t.idle = func() (given []string) {
		ofManifests := pflag.NewFlagSet("", pflag.ContinueOnError)
		new(input).register(ofManifests)
		anyway := pflag.NewFlagSet("", pflag.ContinueOnError)
		new(reporting).register(anyway)
		new(exceptions).register(anyway)
		flags.Visit(func(f *pflag.Flag) {
			if ofManifests.Lookup(f.Name) != nil && anyway.Lookup(f.Name) == nil {
				given = append(given, "--"+f.Name)
			}
		})
		return given
	}
	backendFlag(flags, &t.backend, "backend to use: nftables, iptables, ipvs or ebpf")
	flags.StringVar(&t.artifact, "artifact", "", "directory with the files of one backend that were compiled before, instead of manifests")
	registerStateDir(flags, &t.stateDir)
	registerCgroup(flags, &t.cgroup)
}

func registerCgroup(flags *pflag.FlagSet, path *string) {
	flags.StringVar(path, "cgroup", "", "cgroup2 directory whose sockets the programs of backend ebpf see; the root of cgroup2 by default")
}

// checkCgroup checks a given --cgroup. Backends without programs have no place for one.
func checkCgroup(path, backend string) error {
	if path == "" {
		return nil
	}
	if backend != ebpf.Name {
		return inputError(fmt.Errorf("--cgroup has no meaning with backend %s: only ebpf has programs", backend))
	}
	if err := dataplane.CheckCgroup(path); err != nil {
		return inputError(fmt.Errorf("--cgroup: %w", err))
	}
	return nil
}

// newApplier returns an applier. The programs of ebpf belong on a cgroup; "" is the one that
// they are on, or else the root.
func newApplier(stateDir, cgroup string) *applier.Applier {
	a := applier.New(dataplane.AllAt(cgroup), applier.NewRecord(stateDir))
	a.Place = cgroup
	a.Finish = true // a signal prevents only what has not begun
	return a
}

// entry compiles the manifests, or reads the files; only manifests have a
// program.
func (t *target) entry(s *Streams) (*compiled, error) {
	if t.artifact != "" {
		if len(t.paths) > 0 {
			return nil, inputError(errors.New("give -f or --artifact, not both"))
		}
		if given := t.idle(); len(given) > 0 {
			return nil, inputError(fmt.Errorf("%s has no meaning with --artifact, whose files are one node's already", strings.Join(given, ", ")))
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
	if given := t.given(onlyOfPrograms()...); len(given) > 0 && t.backend != ebpf.Name {
		return nil, inputError(fmt.Errorf("%s has no meaning with backend %s: only ebpf has programs", strings.Join(given, ", "), t.backend))
	}
	selected, err := registry.Select(l.options, t.backend)
	if err != nil || len(selected) != 1 {
		return nil, oneBackend(t.backend)
	}
	program, diags := l.cluster.Program(node)
	diags = append(l.diagnostics(), diags...)
	diags = append(diags, l.marks(t.backend)...)
	r, err := emit(program, selected, &diags)
	if err != nil {
		return nil, err
	}
	c := &compiled{
		Entry:   applier.Entry{Backend: t.backend, Artifact: r.artifacts[0].artifact},
		backend: selected[0], program: program, report: l.report, routes: l.wantsRoutes(node),
	}
	if t.backend == "iptables" {
		c.Names = refusedNames(program)
	}
	return c, l.report(diags)
}
