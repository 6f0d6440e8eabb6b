package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// compileCommand is `planec compile`.
type compileCommand struct {
	streams    *Streams
	input      input
	backends   []string
	allNodes   bool
	outDir     string
	noComments bool
}

func newCompile(s *Streams) *cobra.Command {
	c := &compileCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "compile -f PATH... --node NAME --backend NAME",
		Short: "Compile manifests to the rules of a node",
		Long: `compile reads manifests and writes the rules that a node's kernel would run. It
needs no privileges, no cluster and no kernel tools. One backend with one file is
printed; with --out-dir the files are DIR/<node>/<backend>/<file>.`,
		Example: `  # One node, to stdout
  planec compile -f manifests/ --node node-a --backend nftables

  # Try it in a namespace of its own
  planec compile -f manifests/ --node node-a --backend nftables | sudo unshare -n nft -f -

  # What kustomize builds, with the settings of an existing kube-proxy
  kustomize build . | planec compile -f - --node node-a --backend nftables --config kube-proxy.yaml

  # Every node of a cluster dump
  kubectl get services,endpointslices,nodes -A -o json > dump.json
  planec compile -f dump.json --all-nodes --backend nftables --out-dir rules/`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	flags := cmd.Flags()
	c.input.register(flags)
	flags.StringSliceVar(&c.backends, "backend", nil, "backends to compile for: nftables, iptables, ipvs, ebpf; or all")
	flags.BoolVar(&c.allNodes, "all-nodes", false, "compile for every Node of the input")
	flags.StringVar(&c.outDir, "out-dir", "", "write files below this directory")
	flags.BoolVar(&c.noComments, "no-comments", false, "leave the names of Services out of the rules")
	return cmd
}

func (c *compileCommand) run() error {
	loaded, err := c.input.load(c.streams)
	if err != nil {
		return err
	}
	selected, err := c.selectBackends(loaded)
	if err != nil {
		return err
	}
	nodes, err := c.nodes(loaded)
	if err != nil {
		return err
	}
	diags := loaded.diagnostics()
	results := make([]nodeResult, 0, len(nodes))
	for _, node := range nodes {
		program, nodeDiags := loaded.cluster.Program(node)
		diags = append(diags, nodeDiags...)
		r, err := emit(program, selected, &diags)
		if err != nil {
			return err
		}
		if c.outDir == "" || len(nodes) == 1 {
			results = append(results, r)
			continue
		}
		// With many nodes only one node's rules are held at a time.
		if err := c.write(r); err != nil {
			return err
		}
	}
	if err := loaded.report(diags); err != nil {
		return err
	}
	for _, r := range results {
		if err := c.write(r); err != nil {
			return err
		}
	}
	return nil
}

func (c *compileCommand) selectBackends(l *loaded) ([]backends.Backend, error) {
	if len(c.backends) == 0 {
		return nil, inputError(fmt.Errorf("--backend is missing: choose from %v", registry.Names()))
	}
	o := l.options()
	o.NoComments = c.noComments
	selected, err := registry.Select(o, c.backends...)
	if err != nil {
		return nil, inputError(err)
	}
	return selected, nil
}

// nodes returns the nodes to compile for. A node that the input has not is
// refused: rules for it would hold no local endpoint and look right.
func (c *compileCommand) nodes(l *loaded) ([]string, error) {
	if c.allNodes {
		if c.outDir == "" {
			return nil, inputError(fmt.Errorf("--all-nodes needs --out-dir"))
		}
		if len(l.cluster.Nodes()) == 0 {
			return nil, inputError(fmt.Errorf("--all-nodes: the input has no Node objects"))
		}
		return l.cluster.Nodes(), nil
	}
	node, err := l.node()
	if err != nil {
		return nil, err
	}
	return []string{node}, nil
}

// nodeResult is what the backends emitted for one node.
type nodeResult struct {
	node      string
	artifacts []namedArtifact
}

type namedArtifact struct {
	backend  string
	artifact backends.Artifact
}

func emit(p *ir.Program, selected []backends.Backend, diags *diag.List) (nodeResult, error) {
	r := nodeResult{node: p.Node.Name}
	for _, b := range selected {
		*diags = append(*diags, backends.Check(b, p)...)
		a, err := b.Emit(p)
		if err != nil {
			return r, systemError(fmt.Errorf("backend %s, node %s: %w", b.Name(), p.Node.Name, err))
		}
		r.artifacts = append(r.artifacts, namedArtifact{b.Name(), a})
	}
	return r, nil
}

func (c *compileCommand) write(r nodeResult) error {
	if c.outDir == "" {
		if len(r.artifacts) != 1 || len(r.artifacts[0].artifact.Files) != 1 {
			return inputError(fmt.Errorf("more than one file: give --out-dir"))
		}
		if _, err := c.streams.Out.Write(r.artifacts[0].artifact.Files[0].Data); err != nil {
			return systemError(fmt.Errorf("writing to stdout: %w", err))
		}
		return nil
	}
	for _, a := range r.artifacts {
		if err := writeArtifact(filepath.Join(c.outDir, r.node, a.backend), a.artifact); err != nil {
			return err
		}
	}
	return nil
}
