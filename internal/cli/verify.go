//go:build !js

package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir/diag"
)

func newVerify(s *Streams) *cobra.Command {
	var t target
	var format string
	var prove bool
	cmd := &cobra.Command{
		Use:   "verify [-f PATH... --node NAME --backend NAME]",
		Short: "Compare this kernel with what it should have",
		Long: `verify reads the rules back from the kernel and compares them with the manifests,
with compiled files, or, without either, with what a running agent serves now, and
without an agent with what was applied last. It exits 1 and says what differs when
something does, rules of another backend of planec among it; it exits 0 and says in one
sentence what is served when the kernel has exactly these rules.`,
		Example: `  # Does this kernel have what the agent serves, or what was applied last?
  planec verify

  # Does it have what the manifests say?
  planec verify -f manifests/ --node node-a --backend nftables`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := untilSignal()
			defer stop()
			a := newApplier(t.stateDir, t.cgroup)
			if note := unconfirmed(t.stateDir); note != "" {
				fmt.Fprintln(s.Err, "note: "+diag.Printable(note))
			}
			p, e, err := t.plan(ctx, a, s)
			if err != nil {
				return err
			}
			routes, err := e.routeSteps()
			if err != nil {
				return err
			}
			r := changed{Command: "verify", Backend: e.Backend, InSync: p.Empty() && len(routes) == 0}
			if r.InSync {
				if prove {
					if err := proveEntry(e); err != nil {
						return err
					}
				}
				r.Serves = inSync(a, e.Entry, e.program)
				return r.write(s.Out, format)
			}
			r.Steps = append(p.Steps(), routes...)
			if err := r.write(s.Out, format); err != nil {
				return err
			}
			if format == "text" {
				fmt.Fprintf(s.Err, "the kernel differs: %s would put it right (planec apply), and nothing was changed\n", count(len(r.Steps), "step"))
			}
			return finding()
		},
	}
	t.register(cmd.Flags())
	cmd.Flags().BoolVar(&prove, "prove", false, "prove that the rules that are compared with do what the manifests say; needs -f")
	formatFlag(cmd.Flags(), &format, kernelForms()...)
	return cmd
}

// proveEntry proves the files that a kernel was compared with, and so the kernel's rules.
func proveEntry(e *compiled) error {
	if e.program == nil {
		return inputError(errors.New("--prove needs the manifests: give -f and --node"))
	}
	selected, err := registry.Select(backends.DefaultOptions(), e.Backend)
	if err != nil {
		return inputError(err)
	}
	return proveOne(e.program, selected[0], e.Artifact)
}

func (t *target) entryOrLast(a *applier.Applier, s *Streams) (*compiled, error) {
	if len(t.paths) > 0 || t.artifact != "" {
		return t.entry(s)
	}
	e, err := lastApplied(a, "nothing to compare with: give -f, --artifact, or the --state-dir of the apply")
	if err != nil {
		return nil, err
	}
	return &compiled{Entry: e}, nil
}
