package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends/registry"
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
	// format is html, or json for the data of the page alone.
	format string
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
	flags.BoolVar(&c.build, "build", false, "with OLD and NEW: they are directories of kustomizations, as for planec diff")
	flags.BoolVar(&c.allNodes, "all-nodes", false, "every Node of the input, to choose from in the page")
	flags.StringVarP(&c.output, "output", "o", "-", "file to write; - for stdout")
	flags.StringVar(&c.format, "format", "html", "html, or json: the data of the page, with the diagnostics in it")
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
	}
	if c.format == "json" {
		return c.document()
	}
	l, err := c.input.load(c.streams)
	if err != nil {
		return err
	}
	in, diags, err := c.state(l)
	if err != nil {
		return err
	}
	if err := l.report(append(l.diagnostics(), diags...)); err != nil {
		return err
	}
	return c.write(in)
}

// state is the report of a state.
func (c *reportCommand) state(l *loaded) (report.Input, diag.List, error) {
	nodes, err := c.nodes(l)
	if err != nil {
		return report.Input{}, nil, err
	}
	return c.compile(l, nodes)
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
	if len(found.Findings) == 0 || found.Unknown {
		in.Findings = append(in.Findings, report.Finding{Kind: "summary", Text: found.Summary()})
	}
	for _, n := range found.Notes {
		in.Findings = append(in.Findings, report.Finding{Kind: "note", Text: n})
	}
	for i := range found.Findings {
		in.Findings = append(in.Findings, report.Finding{Kind: string(found.Findings[i].Kind), Text: found.Findings[i].Sentence()})
	}
	return c.write(in)
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
	for _, name := range nodes {
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
	if c.format == "json" {
		return c.writeDocument(&in, nil)
	}
	return c.toOutput(func(w io.Writer) error { return writePage(w, in) })
}

// toOutput calls write with the file of -o.
func (c *reportCommand) toOutput(write func(io.Writer) error) error {
	if c.output == "-" {
		return write(c.streams.Out)
	}
	f, err := os.Create(c.output)
	if err != nil {
		return systemError(err)
	}
	return errors.Join(write(f), f.Close())
}

func writePage(w io.Writer, in report.Input) error {
	out := bufio.NewWriter(w)
	if err := errors.Join(report.Write(out, in), out.Flush()); err != nil {
		return systemError(fmt.Errorf("writing the report: %w", err))
	}
	return nil
}
