package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/report"
)

// reportCommand is `planec report`.
type reportCommand struct {
	streams  *Streams
	input    input
	backends []string
	allNodes bool
	output   string
}

func newReport(s *Streams) *cobra.Command {
	c := &reportCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "report -f PATH...",
		Short: "Write one HTML page: objects, what must happen, and the rules, side by side",
		Long: `report compiles manifests and writes one HTML page that needs nothing else: the
objects, what must happen on each node, and the rules of every backend, side by
side. What belongs to an object is marked everywhere, and a packet can be traced in
the page, as the node meets it.`,
		Example: `  planec report -f manifests/ --node node-a -o report.html
  planec report -f manifests/ --all-nodes --backend nftables,iptables > report.html`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	flags := cmd.Flags()
	c.input.register(flags)
	flags.StringSliceVar(&c.backends, "backend", registry.Names(), "whose rules are shown")
	flags.BoolVar(&c.allNodes, "all-nodes", false, "every Node of the input, to choose from in the page")
	flags.StringVarP(&c.output, "output", "o", "-", "file to write; - for stdout")
	return cmd
}

func (c *reportCommand) run() error {
	l, err := c.input.load(c.streams)
	if err != nil {
		return err
	}
	selected, err := registry.Select(l.options(), c.backends...)
	if err != nil {
		return inputError(err)
	}
	nodes := l.cluster.Nodes()
	if !c.allNodes {
		node, err := l.node()
		if err != nil {
			return err
		}
		nodes = []string{node}
	}
	if len(nodes) == 0 {
		return inputError(errors.New("--all-nodes: the input has no Node objects"))
	}
	in := report.Input{Objects: &l.objects}
	diags := l.diagnostics()
	for _, name := range nodes {
		program, more := l.cluster.Program(name)
		diags = append(diags, more...)
		r, err := emit(program, selected, &diags)
		if err != nil {
			return err
		}
		n := report.Node{Program: program}
		for _, a := range r.artifacts {
			n.Artifacts = append(n.Artifacts, report.Artifact{Backend: a.backend, Artifact: a.artifact})
		}
		in.Nodes = append(in.Nodes, n)
	}
	if err := l.report(diags); err != nil {
		return err
	}
	return c.write(in)
}

func (c *reportCommand) write(in report.Input) error {
	if c.output == "-" {
		return writePage(c.streams.Out, in)
	}
	f, err := os.Create(c.output)
	if err != nil {
		return systemError(err)
	}
	return errors.Join(writePage(f, in), f.Close())
}

func writePage(w io.Writer, in report.Input) error {
	out := bufio.NewWriter(w)
	if err := errors.Join(report.Write(out, in), out.Flush()); err != nil {
		return systemError(fmt.Errorf("writing the report: %w", err))
	}
	return nil
}
