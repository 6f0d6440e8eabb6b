package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/testing/clustergen"
)

// nodeMemory is the memory limit of these processes, in bytes, the same as for a
// node's agent (debug.SetMemoryLimit, GOMEMLIMIT). Without a limit, the heap may
// grow to twice the live heap, most of which is long-lived objects.
const nodeMemory = 215 << 20

// applySteps change the kernel of a separate network namespace.
func applySteps() map[string]func(string, int) (func() error, error) {
	steps := map[string]func(string, int) (func() error, error){
		"apply-commit":  stepApplyCommit,
		"apply-first":   stepApplyFirst,
		"apply-restart": stepApplyRestart,
	}
	for name, prepare := range steps {
		steps[name] = func(dir string, n int) (func() error, error) {
			debug.SetMemoryLimit(nodeMemory)
			return prepare(dir, n)
		}
	}
	return steps
}

// stepApplyCommit measures from objects in memory until an empty kernel has
// acknowledged the rules.
func stepApplyCommit(_ string, n int) (func() error, error) {
	set := clustergen.Objects(size(n))
	return func() error {
		o := backends.DefaultOptions()
		o.NoComments = true
		program := programOf(&set)
		a, err := nftables.New(o).Emit(program)
		if err != nil {
			return err
		}
		plane := dataplane.All()["nftables"]
		plan, err := plane.Plan(context.Background(), a)
		if err != nil {
			return err
		}
		return plan.Apply(context.Background())
	}, nil
}

// stepApplyFirst additionally prepares for later changes, and reads the rules back
// from the kernel and compares them.
func stepApplyFirst(dir string, n int) (func() error, error) {
	set := clustergen.Objects(size(n))
	return func() error { return applySession(dir, set) }, nil
}

// stepApplyRestart is stepApplyFirst in a kernel that already has the correct rules.
func stepApplyRestart(dir string, n int) (func() error, error) {
	set := clustergen.Objects(size(n))
	if err := applySession(dir, set); err != nil {
		return nil, err
	}
	return func() error { return applySession(dir, set) }, nil
}

func applySession(dir string, set objects.Set) error {
	o := backends.DefaultOptions()
	o.NoComments = true
	state, err := os.MkdirTemp(dir, "state-")
	if err != nil {
		return err
	}
	x := compiler.NewIncremental(&set, set.Nodes[0].Object.Name, objects.Config{})
	s := session.New(x, nftables.New(o), applier.New(dataplane.All(), applier.NewRecord(state)))
	_, err = s.Apply(context.Background())
	return err
}

// apart returns a command that runs a step in a separate network namespace.
func apart(self string, args []string) *exec.Cmd {
	return exec.Command("unshare", append([]string{"-n", self}, args...)...)
}

// applied returns CPU time and peak memory of a step that needs root.
func applied(step string, value func(usage, sample) string) func(*bench, int) (string, error) {
	return func(b *bench, n int) (string, error) {
		if !canLoad() {
			return "needs root", nil
		}
		var all []usage
		var samples []sample
		for range b.runs {
			u, s, err := b.apart(step, n)
			if err != nil {
				return "", fmt.Errorf("%s: %w", step, err)
			}
			all, samples = append(all, u), append(samples, s)
		}
		return value(
			usage{peakMB: median(all, func(u usage) float64 { return u.peakMB })},
			sample{CPU: median(samples, func(s sample) float64 { return s.CPU })}), nil
	}
}

func applyFigures() []figure {
	return []figure{
		{"objects in memory → an empty kernel over netlink, acknowledged, CPU s", applied("apply-commit", func(_ usage, s sample) string { return fmt.Sprintf("%.3f", s.CPU) })},
		{"the same, peak MB of the process", applied("apply-commit", func(u usage, _ sample) string { return fmt.Sprintf("%.0f", u.peakMB) })},
		{"the same, ready for changes, read back and compared, CPU s", applied("apply-first", func(_ usage, s sample) string { return fmt.Sprintf("%.3f", s.CPU) })},
		{"the same, peak MB", applied("apply-first", func(u usage, _ sample) string { return fmt.Sprintf("%.0f", u.peakMB) })},
		{"the same over correct rules (restart), CPU s", applied("apply-restart", func(_ usage, s sample) string { return fmt.Sprintf("%.3f", s.CPU) })},
		{"both one after the other, peak MB", applied("apply-restart", func(u usage, _ sample) string { return fmt.Sprintf("%.0f", u.peakMB) })},
	}
}
