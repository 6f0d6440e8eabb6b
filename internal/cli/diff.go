package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/review/compare"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/internal/review/diffwrite"
)

// diffCommand is `planec diff`.
type diffCommand struct {
	streams  *Streams
	input    input
	backends []string
	format   string
	exitZero bool
	failOn   []string
	live     bool
	stateDir string
	// unread counts the unreadable parts of NEW.
	unread int
	// prove lists all packets that are treated differently, instead of the report.
	prove bool
	// build reports that OLD and NEW are kustomizations.
	build bool
}

func newDiff(s *Streams) *cobra.Command {
	d := &diffCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what a change of manifests does to the network",
		Long: `diff compares two states of a cluster: which paths open and close, with the line
of the policy responsible; what becomes of each Service; which objects differ; and how
each backend's rules do. It exits 1 when something differs, or something of NEW cannot
be read, or is a policy of a kind that is not, which OLD did not have; 0 otherwise.

OLD and NEW are each a file or directory of manifests, a directory that compile wrote
(DIR, DIR/<node> or DIR/<node>/<backend>: then only rules are compared), or
git:REV:PATH, or context:NAME, a cluster's objects as they are now. "live:" on either side is the rules that this machine applied last; with
--live they are OLD, and the one argument is NEW.`,
		Example: `  # What does this branch do?
  planec diff git:origin/main:manifests manifests

  # A comment for a pull request; fail only when something newly can be reached
  planec diff git:origin/main:manifests manifests -o md --fail-on opened

  # What would applying this change in the cluster?
  planec diff context:prod manifests --synth

  # What an overlay of kustomize makes, before and after
  planec diff git:origin/main:overlays/prod overlays/prod --build --synth

  # The rules too
  planec diff old/ new/ --backend nftables --node node-a

  # Every packet that a node treats in another way, as sets; or the proof that there is none
  planec diff git:origin/main:manifests manifests --prove

  # What would apply change here?
  planec diff --live manifests/ --node node-a`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return fmt.Errorf("give OLD and NEW, or one of them with --live, as in: planec diff git:origin/main:manifests manifests (%d given)", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return d.run(args) },
	}
	flags := cmd.Flags()
	d.input.register(flags)
	d.input.registerClusters(flags, "PATH, or NAME=OLD,NEW where the sides differ")
	flags.MarkHidden("filename")  // the arguments replace it, but the flag exists
	flags.MarkHidden("kustomize") // likewise; it would be built into both sides
	backendsFlag(flags, &d.backends, "show how the rules of these backends differ, or all; none leaves rules out (default: nftables' lines are counted)", "none")
	formatFlag(flags, &d.format, diffwrite.Formats()...)
	flags.BoolVar(&d.build, "build", false, "OLD and NEW are directories of kustomizations: compare what kubectl kustomize builds of them")
	flags.BoolVar(&d.exitZero, "exit-zero", false, "exit 0 whatever differs")
	flags.Var(&choices{value: &d.failOn, words: append(kindNames(), "objects", "rules")}, "fail-on", "exit 1 only for findings of these kinds: "+strings.Join(kindNames(), ", ")+", objects, rules")
	flags.BoolVar(&d.prove, "prove", false, "list all packets that nodes treat in another way, as sets, or prove that there are none; a node of one side only counts as a difference (-o text or json)")
	flags.BoolVar(&d.live, "live", false, "compare with the rules that this machine applied last")
	registerStateDir(flags, &d.stateDir)
	return cmd
}

func kindNames() []string {
	var out []string
	for _, k := range diffreport.Kinds() {
		out = append(out, string(k))
	}
	return out
}

func (d *diffCommand) check(args []string) error {
	switch {
	case len(d.input.paths) > 0:
		return errors.New("diff takes OLD and NEW as arguments, not -f")
	case len(d.input.kustomizations) > 0:
		return errors.New("diff takes OLD and NEW as arguments: with --build both are kustomizations")
	case d.live && len(args) != 1:
		return errors.New("--live stands for OLD: give NEW only")
	case !d.live && len(args) != 2:
		return errors.New("give OLD and NEW")
	case len(args) == 2 && args[0] == "-" && args[1] == "-":
		return errors.New("standard input cannot be both OLD and NEW")
	}
	return nil
}

func (d *diffCommand) run(args []string) error {
	if err := d.check(args); err != nil {
		return inputError(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if d.live {
		args = append([]string{liveSide}, args...)
	}
	sides, err := d.sides(ctx, args)
	if err != nil {
		return err
	}
	defer closeAll(sides)
	if len(d.input.clusters) > 0 && (sides[0].loaded == nil || sides[1].loaded == nil) {
		return inputError(errors.New("--cluster needs manifests on both sides"))
	}
	if err := errors.Join(d.nameLive(sides[0], sides[1]), d.nameLive(sides[1], sides[0])); err != nil {
		return err
	}
	if err := d.knowsNode(sides[0], sides[1]); err != nil {
		return err
	}
	if d.prove {
		return d.proveChanges(sides[0], sides[1])
	}
	report, err := d.compare(sides[0], sides[1])
	if err != nil {
		return err
	}
	out := bufio.NewWriter(d.streams.Out)
	if err := errors.Join(diffwrite.Write(out, d.format, report, places([]string{sides[1].root, sides[0].root})), out.Flush()); err != nil {
		return written(err)
	}
	if !d.exitZero && d.fails(report) {
		return finding()
	}
	return nil
}

// knowsNode rejects a --node that neither side has.
func (d *diffCommand) knowsNode(sides ...*diffSide) error {
	var nodes []string
	for _, s := range sides {
		if s.loaded == nil {
			return nil // compiled rules do not name their node
		}
		nodes = append(nodes, s.loaded.cluster.Nodes()...)
	}
	slices.Sort(nodes)
	return knownNode(d.input.nodeName, slices.Compact(nodes))
}

// state returns one side of a comparison.
func (l *loaded) state() *compare.State {
	s := compare.NewState(&l.objects, l.cluster)
	s.Addresses = l.addresses
	s.Workloads, s.PodsUnknown = l.workloads, !l.synth && len(l.objects.Pods) == 0
	return s
}

// compare makes the report; its origins have the lines of their fields.
func (d *diffCommand) compare(before, after *diffSide) (*diffreport.Report, error) {
	report := &diffreport.Report{}
	if before.loaded != nil && after.loaded != nil {
		d.streams.progress.step("comparing what the policies and Services do")
		report = compare.States(
			before.loaded.state(), after.loaded.state(),
		)
		d.streams.progress.end()
		if err := reportBoth(before, after); err != nil {
			return nil, err
		}
		d.unread = noteUnread(report, before, after)
	} else {
		report.Notes = append(report.Notes, "Compiled rules have no objects in them, so only rules were compared")
	}
	report.Notes = append(report.Notes, absences(before, after)...)
	report.Old, report.New, report.OldRevision = before.name, after.name, before.revision
	rules, err := d.rules(before, after)
	if err != nil {
		return nil, err
	}
	report.Rules = rules
	locate(report, before, after)
	report.Sort()
	return report, nil
}

// fails reports whether the exit code must report a change. Input that has become
// unreadable may contain any change.
func (d *diffCommand) fails(r *diffreport.Report) bool {
	if d.unread > 0 {
		return true
	}
	if len(d.failOn) == 0 {
		return !r.Empty()
	}
	return slices.ContainsFunc(d.failOn, func(k string) bool {
		switch k {
		case "objects":
			return len(r.Objects) > 0
		case "rules":
			return len(r.Rules) > 0
		}
		return r.Count(diffreport.Kind(k)) > 0
	})
}
