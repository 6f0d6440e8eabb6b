package cli

import (
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler/lint"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/internal/review/suppress"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// lintCommand is `planec lint`.
type lintCommand struct {
	streams  *Streams
	input    input
	backends []string
	output   string
	exitZero bool
	ignoring ignoring
}

func newLint(s *Streams) *cobra.Command {
	c := &lintCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "lint -f PATH...",
		Short: "Say what is wrong with manifests, without compiling them",
		Long: `lint prints what compile would complain about, for the node given or for all; what
each backend cannot express or does differently; and what is valid and probably not
meant: Services that select nothing, rules that another makes superfluous, policies
that block DNS. A label or a port that no pod has is reported only where the input
has pods, or where --synth makes pods from the workloads.

It exits 1 when there are warnings or errors, and 2 where --strict or --fail-on-warn
says so. What a backend cannot do (PLC0501, PLC0502) is a note, and counts only for the
backends that --backend names. planec explain says what a code means.

What was looked at and is meant can be left out: on the object, with the annotation
planec.io/ignore: PLC0711,PLC0727; everywhere, with --ignore; or as it is now, with a
file that --write-baseline writes and --baseline reads. The last line counts it.`,
		Example: `  planec lint --synth -f manifests/ -R
  kustomize build . | planec lint --synth -f -
  helm template ./chart | planec lint --synth -f - -o sarif > planec.sarif

  # Take what there is, and fail for what is new
  planec lint --synth -R -f . --write-baseline .planec-baseline.json
  planec lint --synth -R -f . --baseline .planec-baseline.json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	c.input.care, c.input.entries = lenient, true
	c.input.register(cmd.Flags())
	backendsFlag(cmd.Flags(), &c.backends, "backends to ask; all by default")
	formatFlag(cmd.Flags(), &c.output, findingFormats...)
	c.ignoring.register(cmd)
	cmd.Flags().BoolVar(&c.exitZero, "exit-zero", false, "exit 0 whatever is found")
	return cmd
}

func (c *lintCommand) run() error {
	l, err := c.input.load(c.streams)
	if err != nil {
		return err
	}
	selected, err := registry.Select(l.options, c.backends...)
	if err != nil {
		return inputError(err)
	}
	annotations, wrong := suppress.ReadAnnotations(&l.objects, l.workloads)
	rules, err := c.ignoring.rules(annotations)
	if err != nil {
		return err
	}
	diags := l.refine(append(l.lint(selected), wrong...))
	noteSettings(diags)
	uncounted := 0
	if len(c.backends) == 0 {
		uncounted = demote(diags)
	}
	diags, ignored := rules.Apply(diags)
	if err := c.write(diags); err != nil {
		return err
	}
	saved, err := c.ignoring.save(diags)
	if err != nil {
		return err
	}
	return c.conclude(diags, ignored, uncounted, saved, staleText(c.ignoring.baseline, rules.Baseline.Stale()))
}

// conclude prints the number of findings and returns the error for the exit code.
func (c *lintCommand) conclude(diags diag.List, ignored suppress.Ignored, uncounted int, also ...string) error {
	errors, warnings := diags.Count(diag.Error), diags.Count(diag.Warning)
	summary := count(errors, "error") + ", " + count(warnings, "warning")
	if text := ignored.String(); text != "" {
		summary += "; " + text
	}
	if uncounted > 0 {
		summary += fmt.Sprintf("; not counted: %s of what a backend cannot do (name yours with --backend)", count(uncounted, "finding"))
	}
	for _, line := range append([]string{summary}, also...) {
		if line != "" {
			fmt.Fprintln(c.streams.Err, line)
		}
	}
	if errors+warnings == 0 || c.exitZero || c.ignoring.write != "" {
		return nil
	}
	if err := c.input.judge(diags); err != nil {
		return err // with --strict and --fail-on-warn the exit code is 2
	}
	return finding()
}

// noteSettings turns what settings lack into notes: lint is about manifests, and a node's
// settings are elsewhere.
func noteSettings(diags diag.List) {
	for i := range diags {
		if diags[i].Code == diag.NoDetector && diags[i].Origin.File == "" {
			diags[i].Note = true
		}
	}
}

// demote turns the limits of an unselected backend into notes.
func demote(diags diag.List) (n int) {
	for i := range diags {
		if c := diags[i].Code; c == diag.NotExpressible || c == diag.Approximated {
			diags[i].Note = true
			n++
		}
	}
	return n
}

func (c *lintCommand) write(diags diag.List) error {
	if c.output == "text" {
		return c.streams.forPeople(c.output, func(w io.Writer) error {
			p, err := c.input.printer(w, c.streams.OutColor)
			if err == nil {
				p.print(diags)
			}
			return err
		})
	}
	if c.input.quiet {
		diags = slices.DeleteFunc(slices.Clone(diags), func(d diag.Diagnostic) bool { return d.Severity() == diag.Info })
	}
	return writeFindings(c.streams.Out, c.output, diags, slices.Concat(c.input.paths, c.input.kustomizations))
}

// lint collects the diagnostics of all stages.
func (l *loaded) lint(selected []backends.Backend) diag.List {
	diags := l.diagnostics()
	defer l.streams.progress.end()
	l.streams.progress.step("looking at policies and Services")
	elsewhere := lint.Elsewhere(&l.objects, l.workloads)
	found := slices.Concat(
		lint.Services(&l.objects, l.serviceCIDRs(), l.cluster.PodCIDRs(), elsewhere),
		lint.Entries(&l.objects),
		lint.PolicyTypes(l.objects.NetworkPolicies),
		l.cluster.LintPolicies(l.around(elsewhere)),
	)
	diags = append(withoutWeaker(diags, found), found...)
	nodes := l.cluster.Nodes()
	if l.nodeName != "" {
		nodes = []string{l.nodeName}
	}
	done := l.streams.progress.count("compiling node %s of %s", len(nodes))
	for _, node := range nodes {
		done()
		program, nodeDiags := l.cluster.Program(node)
		diags = append(diags, nodeDiags...)
		for _, b := range selected {
			diags = append(diags, backends.Check(b, program)...)
		}
	}
	diags.Sort()
	return diags
}

// around returns the context of policies: Services as written, because no policy
// refers to an address that synth made.
func (l *loaded) around(elsewhere *policy.Elsewhere) policy.Around {
	a := policy.Around{
		Elsewhere: elsewhere, Services: l.services, Slices: l.objects.EndpointSlices,
		ServiceCIDRs: l.serviceCIDRs(), Made: make(map[netip.Addr]bool),
	}
	for _, p := range l.made.Pods {
		for _, ip := range p.Object.Status.PodIPs {
			if addr, err := netip.ParseAddr(ip.IP); err == nil {
				a.Made[addr.Unmap()] = true
			}
		}
	}
	return a
}

// serviceCIDRs returns the given ranges of ClusterIPs. A range that synth made may
// contain addresses of other networks.
func (l *loaded) serviceCIDRs() []netip.Prefix {
	made := make(map[string]bool)
	for _, c := range l.made.ServiceCIDRs {
		for _, cidr := range c.Object.Spec.CIDRs {
			made[cidr] = true
		}
	}
	return slices.DeleteFunc(l.cluster.ServiceCIDRs(), func(p netip.Prefix) bool { return made[p.String()] })
}

// withoutWeaker removes notes of the compiler that lint reports better or
// knows to be wrong.
func withoutWeaker(noted, found diag.List) diag.List {
	type place struct {
		code diag.Code
		at   ir.Origin
	}
	said := make(map[place]bool, len(found))
	for _, f := range found {
		said[place{f.Code, f.Origin}] = true
	}
	better := func(d diag.Diagnostic, code diag.Code, path string) bool { return said[place{code, d.Origin.At(path)}] }
	return slices.DeleteFunc(noted, func(d diag.Diagnostic) bool {
		switch d.Code {
		case diag.UnknownNamedPort:
			return true
		case diag.HostNetworkPod:
			return better(d, diag.SelectsNothing, d.Origin.Path)
		case diag.ClaimedFrontend:
			return better(d, diag.NodePortClash, d.Origin.Path+".nodePort")
		}
		return false
	})
}
