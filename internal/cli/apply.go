package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/applier"
	"github.com/planec/planec/internal/dataplane"
	"github.com/planec/planec/ir"
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
	t.input.register(flags)
	flags.StringVar(&t.backend, "backend", "", "backend to use: nftables, iptables, ipvs or ebpf")
	flags.StringVar(&t.artifact, "artifact", "", "directory with files that were compiled before, instead of manifests")
	registerStateDir(flags, &t.stateDir)
}

func registerStateDir(flags *pflag.FlagSet, dir *string) {
	flags.StringVar(dir, "state-dir", "/var/lib/planec", "where the last good artifacts are kept")
}

func newApplier(stateDir string) *applier.Applier {
	return applier.New(dataplane.All(), applier.NewRecord(stateDir))
}

// entry compiles the manifests, or reads the files; the program is that of
// manifests.
func (t *target) entry(s *Streams) (applier.Entry, *ir.Program, error) {
	if t.artifact != "" {
		if len(t.paths) > 0 {
			return applier.Entry{}, nil, inputError(errors.New("give -f or --artifact, not both"))
		}
		e, err := readArtifact(t.artifact, t.backend)
		return e, nil, err
	}
	l, err := t.load(s)
	if err != nil {
		return applier.Entry{}, nil, err
	}
	node, err := l.node()
	if err != nil {
		return applier.Entry{}, nil, err
	}
	selected, err := registry.Select(l.options(), t.backend)
	if err != nil || len(selected) != 1 {
		return applier.Entry{}, nil, inputError(fmt.Errorf("--backend %q: want one of %v", t.backend, registry.Names()))
	}
	program, diags := l.cluster.Program(node)
	diags = append(l.diagnostics(), diags...)
	r, err := emit(program, selected, &diags)
	if err != nil {
		return applier.Entry{}, nil, err
	}
	return applier.Entry{Backend: t.backend, Artifact: r.artifacts[0].artifact}, program, l.report(diags)
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

func newApply(s *Streams) *cobra.Command {
	var t target
	var dryRun bool
	var confirm time.Duration
	cmd := &cobra.Command{
		Use:   "apply -f PATH... --node NAME --backend NAME",
		Short: "Put a node's rules into this kernel, all of them or nothing",
		Long: `apply compares this kernel with what the manifests, or compiled files, say, changes
what differs, reads it back and remembers it. Applying again changes nothing. Rules,
sets and tables of others are never touched; when another backend of planec served
before, its rules go once the new ones are in. UDP and SCTP flows to endpoints that
are gone are ended, as far as manifests say what is there.

With --confirm-within the change is taken back unless "yes" is read from stdin in
time: for a node that one might lock oneself out of.`,
		Example: `  planec apply -f manifests/ --node node-a --backend nftables --dry-run
  planec apply -f manifests/ --node node-a --backend nftables --confirm-within 30s

  # What CI compiled
  planec apply --artifact rules/node-a/nftables`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			e, program, err := t.entry(s)
			if err != nil {
				return err
			}
			a := newApplier(t.stateDir)
			if dryRun {
				p, err := a.Plan(ctx, e)
				if err != nil {
					return systemError(err)
				}
				return printSteps(s.Out, p.Steps(), "would change")
			}
			p, err := a.Apply(ctx, e)
			if err != nil {
				return systemError(err)
			}
			if missing := a.Missing(e.Backend); missing != "" {
				fmt.Fprintf(s.Err, "what backend %s needs to serve is not there yet: %s; other rules were left in place\n", e.Backend, missing)
			}
			if err := t.endFlows(s, program); err != nil {
				return err
			}
			if err := printSteps(s.Out, p.Steps(), "changed"); err != nil || confirm == 0 || p.Empty() {
				return err
			}
			return confirmOrBack(ctx, a, s, confirm)
		},
	}
	t.register(cmd.Flags())
	cmd.Flags().BoolVar(&t.keepFlows, "keep-flows", false, "leave UDP and SCTP flows to endpoints that are gone alone")
	cmd.Flags().BoolVar(&t.endDenied, "end-denied", false, "end connections that policies deny now")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would change, and change nothing")
	cmd.Flags().DurationVar(&confirm, "confirm-within", 0, "take the change back unless it is confirmed in this time")
	return cmd
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

// confirmOrBack waits for a "yes".
func confirmOrBack(ctx context.Context, a *applier.Applier, s *Streams, within time.Duration) error {
	fmt.Fprintf(s.Err, "type yes within %v to keep it\n", within)
	answers := make(chan bool, 1)
	go func() {
		line, _ := bufio.NewReader(s.In).ReadString('\n')
		answers <- strings.EqualFold(strings.TrimSpace(line), "yes")
	}()
	timer := time.NewTimer(within)
	defer timer.Stop()
	confirmed := false
	select {
	case confirmed = <-answers:
	case <-timer.C:
	case <-ctx.Done():
	}
	if confirmed {
		return nil
	}
	if _, _, err := a.Rollback(context.WithoutCancel(ctx)); err != nil {
		return systemError(fmt.Errorf("it was not confirmed, and going back failed: %w", err))
	}
	fmt.Fprintln(s.Err, "it was not confirmed: the rules are those from before")
	return finding()
}

func newVerify(s *Streams) *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "verify [-f PATH... --node NAME --backend NAME]",
		Short: "Compare this kernel with what it should have",
		Long: `verify reads the rules back from the kernel and compares them with the manifests,
with compiled files, or, without either, with what was applied last. It exits 1 and
says what differs when something does.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a := newApplier(t.stateDir)
			e, err := t.entryOrLast(a, s)
			if err != nil {
				return err
			}
			p, err := a.Plan(context.Background(), e)
			if err != nil {
				return systemError(err)
			}
			if p.Empty() {
				return nil
			}
			if err := printSteps(s.Out, p.Steps(), "differs"); err != nil {
				return err
			}
			return finding()
		},
	}
	t.register(cmd.Flags())
	return cmd
}

func (t *target) entryOrLast(a *applier.Applier, s *Streams) (applier.Entry, error) {
	if len(t.paths) > 0 || t.artifact != "" {
		e, _, err := t.entry(s)
		return e, err
	}
	e, err := a.Last()
	if err != nil {
		return e, inputError(fmt.Errorf("nothing to compare with: give -f or --artifact: %w", err))
	}
	return e, nil
}

func newRollback(s *Streams) *cobra.Command {
	var stateDir string
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Put back the rules before the last apply",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, p, err := newApplier(stateDir).Rollback(context.Background())
			if err != nil {
				return systemError(err)
			}
			if p == nil {
				fmt.Fprintln(s.Out, "there was nothing before: all rules are removed")
				return nil
			}
			return printSteps(s.Out, p.Steps(), "changed")
		},
	}
	registerStateDir(cmd.Flags(), &stateDir)
	return cmd
}

func newClean(s *Streams) *cobra.Command {
	var stateDir, backend string
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Remove everything of planec from this kernel",
		Long: `clean removes the rules, sets and maps of one backend or of all, and nothing of
anybody else. What is not there is no error.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a := newApplier(stateDir)
			var steps []string
			var err error
			if backend != "" {
				steps, err = a.Clean(context.Background(), backend)
			} else {
				steps, err = a.CleanAll(context.Background())
			}
			if err := errors.Join(err, printSteps(s.Out, steps, "removed")); err != nil {
				return systemError(err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&backend, "backend", "", "backend to clean; all by default")
	registerStateDir(cmd.Flags(), &stateDir)
	return cmd
}
