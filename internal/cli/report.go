package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/internal/review/report"
	"github.com/planec/planec/ir/diag"
)

// reportCommand is `planec report`.
type reportCommand struct {
	streams  *Streams
	input    input
	backends []string
	allNodes bool
	output   string
	// format is html, or json for the document of the page alone.
	format string
	// chosen reports whether --backend was given.
	chosen func() bool
	// build reports that OLD and NEW are kustomizations.
	build bool
}

func newReport(s *Streams) *cobra.Command {
	c := &reportCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "report -f PATH... | report OLD NEW",
		Short: "Write one HTML page: objects, what must happen, and the rules, side by side",
		Long: `report compiles manifests and writes one HTML page that needs nothing else: the
objects, what must happen on each node, and the rules of every backend, side by
side. What belongs to an object is marked everywhere, and a packet can be traced in
the page, as the node meets it.

With OLD and NEW, manifests as diff takes them, it is the page of a change: what it
means, and the lines that come and go.`,
		Example: `  planec report -f manifests/ --node node-a -o report.html
  planec report -f manifests/ --all-nodes --backend nftables,iptables > report.html
  planec report git:origin/main:manifests manifests --all-nodes -o change.html`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) },
	}
	flags := cmd.Flags()
	c.input.register(flags)
	c.backends = registry.Names()
	backendsFlag(flags, &c.backends, "whose rules are shown")
	c.chosen = func() bool { return flags.Changed("backend") }
	flags.BoolVar(&c.build, "build", false, "with OLD and NEW: they are directories of kustomizations, as for planec diff")
	flags.BoolVar(&c.allNodes, "all-nodes", false, "every Node of the input, to choose from in the page")
	flags.StringVarP(&c.output, "output", "o", "-", "file to write; - for stdout")
	flags.StringVar(&c.format, "format", "html", "html, or json: the document that the page shows")
	return cmd
}

func (c *reportCommand) run(ctx context.Context, args []string) error {
	switch {
	case c.format != "html" && c.format != "json":
		return inputError(fmt.Errorf("--format %q: want html or json", c.format))
	case len(args) == 2 && len(c.input.paths)+len(c.input.kustomizations) == 0:
		return c.change(ctx, args)
	case len(args) > 0:
		return inputError(errors.New("give -f or -k, or OLD and NEW"))
	case c.format == "json":
		return c.document()
	}
	stdin := new(bytes.Buffer)
	streams := *c.streams
	streams.In = io.TeeReader(c.streams.In, stdin)
	l, err := c.input.load(&streams)
	if err != nil {
		return err
	}
	in, err := c.state(l, stdin.Bytes)
	if err != nil {
		return err
	}
	if err := l.report(c.said(in.Diagnostics)); err != nil {
		return err
	}
	return c.write(in)
}

// said are the diagnostics for the terminal. What one of all backends does in another way is
// for the page, unless the backend was asked for.
func (c *reportCommand) said(all diag.List) diag.List {
	if c.chosen() {
		return slices.Clone(all)
	}
	return slices.DeleteFunc(slices.Clone(all), func(d diag.Diagnostic) bool { return d.Code == diag.NotExpressible || d.Code == diag.Approximated })
}

// state is the report of a state. stdin returns what was read from standard input.
func (c *reportCommand) state(l *loaded, stdin func() []byte) (report.Input, error) {
	nodes, err := c.nodes(l)
	if err != nil {
		return report.Input{}, err
	}
	in, diags, err := c.compile(l, nodes)
	if err != nil {
		return in, err
	}
	in.Diagnostics = l.refine(append(l.diagnostics(), diags...))
	in.Files = manifestTexts(l, in.Diagnostics, stdin())
	l.streams.progress.step("drawing who can reach whom")
	in.Map = mapOf(nil, l, "")
	l.streams.progress.end()
	return in, nil
}

// change writes the report of a change.
func (c *reportCommand) change(ctx context.Context, args []string) error {
	d := &diffCommand{streams: c.streams, input: c.input, backends: []string{"none"}, build: c.build}
	sides, err := d.sides(ctx, args)
	if err != nil {
		return err
	}
	defer closeAll(sides)
	for i, arg := range args {
		if sides[i].loaded == nil {
			return inputError(fmt.Errorf("%s: a report needs manifests, not compiled rules", arg))
		}
	}
	found, err := d.compare(sides[0], sides[1])
	if err != nil {
		return err
	}
	nodes, err := c.nodes(sides[1].loaded)
	if err != nil {
		return err
	}
	in, _, err := c.compile(sides[1].loaded, nodes)
	if err != nil {
		return err
	}
	there := sides[0].loaded.cluster.Nodes()
	before, _, err := c.compile(sides[0].loaded, slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return !slices.Contains(there, n) }))
	if err != nil {
		return err
	}
	in.Before = &before
	in.Root, before.Root = sides[1].root, sides[0].root
	in.Diagnostics = sides[1].loaded.refine(sides[1].loaded.diagnostics())
	in.Files, before.Files = manifestTexts(sides[1].loaded, in.Diagnostics, nil), manifestTexts(sides[0].loaded, nil, nil)
	describeChange(&in, found)
	c.streams.progress.step("drawing who can reach whom")
	in.Map = mapOf(sides[0].loaded, sides[1].loaded, in.Root)
	c.streams.progress.end()
	return c.write(in)
}

// describeChange adds what a change means, and to which objects it was made.
func describeChange(in *report.Input, found *diffreport.Report) {
	if len(found.Findings) == 0 || found.Unknown {
		in.Findings = append(in.Findings, report.Finding{Kind: "summary", Text: found.Summary()})
	}
	for _, n := range found.Notes {
		in.Findings = append(in.Findings, report.Finding{Kind: "note", Text: n})
	}
	for i := range found.Findings {
		f := &found.Findings[i]
		made := report.Finding{Kind: string(f.Kind), Text: f.Sentence()}
		for _, r := range f.Reasons {
			made.Reasons = append(made.Reasons, report.Reason{Origin: r.Origin, Old: r.Old})
		}
		in.Findings = append(in.Findings, made)
	}
	words := map[diffreport.Change]string{diffreport.ObjectAdded: "new", diffreport.ObjectRemoved: "deleted", diffreport.ObjectChanged: "changed"}
	for _, o := range found.Objects {
		in.Changes = append(in.Changes, report.Change{Origin: o.Origin, Word: words[o.Change]})
	}
}

func (c *reportCommand) nodes(l *loaded) ([]string, error) {
	if c.allNodes {
		if nodes := l.cluster.Nodes(); len(nodes) > 0 {
			return nodes, nil
		}
		if l.nodeName != "" {
			return []string{l.nodeName}, nil
		}
		return nil, inputError(errors.New("--all-nodes: the input has no Node objects"))
	}
	node, err := l.node()
	return []string{node}, err
}

// compile compiles the input of a report.
func (c *reportCommand) compile(l *loaded, nodes []string) (report.Input, diag.List, error) {
	in := report.Input{Objects: &l.objects}
	selected, err := registry.Select(l.options, c.backends...)
	if err != nil {
		return in, nil, inputError(err)
	}
	var diags diag.List
	done := l.streams.progress.count("compiling node %s of %s", len(nodes))
	defer l.streams.progress.end()
	for _, name := range nodes {
		done()
		program, more := l.cluster.Program(name)
		diags = append(diags, more...)
		r, err := emit(program, selected, &diags)
		if err != nil {
			return in, nil, err
		}
		n := report.Node{Program: program}
		for _, a := range r.artifacts {
			n.Artifacts = append(n.Artifacts, report.Artifact{Backend: a.backend, Artifact: a.artifact})
		}
		in.Nodes = append(in.Nodes, n)
	}
	return in, diags, nil
}

func (c *reportCommand) write(in report.Input) error {
	write := report.Write
	if c.format == "json" {
		write = writeDocument
	}
	if c.output == "-" {
		return reportFailure(writeBuffered(c.streams.Out, func(w io.Writer) error { return write(w, in) }))
	}
	return reportFailure(replaceFile(c.output, func(w io.Writer) error { return write(w, in) }))
}

// reportFailure is a system's error, unless it is known to be something else.
func reportFailure(err error) error {
	if known := (*exitError)(nil); err == nil || errors.As(err, &known) {
		return err
	}
	return systemError(fmt.Errorf("writing the report: %w", err))
}
