package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/apply/isolate"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/failsafe"
)

// compileCommand is `planec compile`.
type compileCommand struct {
	streams    *Streams
	input      input
	backends   []string
	allNodes   bool
	outDir     string
	noComments bool
	check      bool
	prove      bool
	shard      string
}

func newCompile(s *Streams) *cobra.Command {
	c := &compileCommand{streams: s}
	cmd := &cobra.Command{
		Use:   "compile -f PATH... --node NAME --backend NAME",
		Short: "Compile manifests to the rules of a node",
		Long: `compile reads manifests and writes the rules that a node's kernel would run. It
needs no privileges, no cluster and no kernel tools. One backend with one file is
printed; with --out-dir the files are DIR/<node>/<backend>/<file>. With --pod-routes the
node's routes to pods of other nodes are written beside them, in DIR/<node>/podroutes.`,
		Example: `  # One node, to stdout
  planec compile -f manifests/ --node node-a --backend nftables

  # Try it in a namespace of its own
  planec compile -f manifests/ --node node-a --backend nftables | sudo unshare -n nft -f -

  # What kustomize builds, with the settings of an existing kube-proxy
  kustomize build . | planec compile -f - --node node-a --backend nftables --config kube-proxy.yaml

  # Every node of a cluster dump
  kubectl get services,endpointslices,nodes -A -o json > dump.json
  planec compile -f dump.json --all-nodes --backend nftables --out-dir rules/

  # In CI: are the committed rules what the manifests say?
  planec compile -f manifests/ --all-nodes --backend nftables --out-dir rules/ --check`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	flags := cmd.Flags()
	c.input.register(flags)
	c.input.registerClusters(flags, "PATH")
	backendsFlag(flags, &c.backends, "backends to compile for: nftables, iptables, ipvs, ebpf; or all")
	flags.BoolVar(&c.allNodes, "all-nodes", false, "compile for every Node of the input")
	flags.StringVar(&c.outDir, "out-dir", "", "write files below this directory")
	flags.BoolVar(&c.check, "check", false, "write nothing: exit 1 when files below --out-dir are not what they would be")
	flags.BoolVar(&c.prove, "prove", false, "write nothing that is not proved to do what the manifests say, see planec prove")
	flags.StringVar(&c.shard, "shard", "", "with --all-nodes: every n-th node from the i-th on, as i/n with i from 0")
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
	if c.outDir == "" {
		return c.print(loaded, nodes[0], selected)
	}
	var sink sink = newWriter(c.outDir)
	if c.check {
		tree, err := openTree(c.outDir)
		if err != nil {
			return systemError(err)
		}
		defer tree.close()
		sink = &checker{tree: tree}
	}
	if err := c.files(loaded, nodes, selected, sink); err != nil {
		return err
	}
	if checked, ok := sink.(*checker); ok {
		return checked.report(c.streams.Out, c.allNodes && c.shard == "", nodes)
	}
	return nil
}

// print writes one file of one node to stdout.
func (c *compileCommand) print(l *loaded, node string, selected []backends.Backend) error {
	r, diags, err := compileNode(l, node, selected, c.prove)
	if err != nil {
		return err
	}
	if err := l.report(append(l.diagnostics(), diags...)); err != nil {
		return err
	}
	if len(r.artifacts) != 1 || len(r.artifacts[0].artifact.Files) != 1 {
		return inputError(fmt.Errorf("more than one file: give --out-dir"))
	}
	_, err = c.streams.Out.Write(r.artifacts[0].artifact.Files[0].Data)
	return written(err)
}

// files compiles nodes on all processors. Each worker holds the rules of one node at
// a time; the rules of a single node are written after its diagnostics were judged.
func (c *compileCommand) files(l *loaded, nodes []string, selected []backends.Backend, out sink) error {
	if len(nodes) > 1 {
		// Objects live long and a node's rules briefly: collecting half as often
		// saves a tenth of the time and costs half as much memory again.
		defer debug.SetGCPercent(debug.SetGCPercent(manyNodesGC))
	}
	results := make([]outcome, len(nodes))
	next, done := make(chan int), l.streams.progress.count("compiling node %s of %s", len(nodes))
	defer l.streams.progress.end()
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(nodes)) {
		workers.Go(func() {
			for i := range next {
				done()
				r := &results[i]
				r.result, r.diags, r.err = compileNode(l, nodes[i], selected, c.prove)
				if r.err == nil && len(nodes) > 1 {
					r.err = out.take(r.result)
					r.result = nodeResult{}
				}
			}
		})
	}
	for i := range nodes {
		next <- i
	}
	close(next)
	workers.Wait()
	l.streams.progress.end()
	diags := append(l.diagnostics(), l.announced()...)
	for i := range results {
		if results[i].err != nil {
			return results[i].err
		}
		diags = append(diags, results[i].diags...)
	}
	if err := l.report(diags); err != nil {
		return err
	}
	if len(nodes) == 1 {
		return out.take(results[0].result)
	}
	return nil
}

// manyNodesGC is GOGC while many nodes are compiled.
const manyNodesGC = 200

// outcome is the result for one node.
type outcome struct {
	result nodeResult
	diags  diag.List
	err    error
}

// compileNode compiles one node's rules, and proves them where that is asked for.
func compileNode(l *loaded, node string, selected []backends.Backend, prove bool) (nodeResult, diag.List, error) {
	program, diags := l.cluster.Program(node)
	r, err := emit(program, selected, &diags)
	if err == nil && prove {
		err = proveAll(program, selected, r)
	}
	for _, c := range l.beside {
		files, said := c.files(node)
		r.artifacts, diags = append(r.artifacts, namedArtifact{c.name, files}), append(diags, said...)
	}
	return r, diags, err
}

func (c *compileCommand) selectBackends(l *loaded) ([]backends.Backend, error) {
	if len(c.backends) == 0 {
		return nil, inputError(fmt.Errorf("--backend is missing: choose from %s", strings.Join(registry.Names(), ", ")))
	}
	l.options.NoComments = c.noComments
	selected, err := registry.Select(l.options, c.backends...)
	if err != nil {
		return nil, inputError(err)
	}
	for _, b := range selected {
		l.read = append(l.read, l.marks(b.Name())...)
	}
	return selected, nil
}

// nodes returns the nodes to compile. It rejects a node that is not in the
// input: its rules would lack every local endpoint but look right.
func (c *compileCommand) nodes(l *loaded) ([]string, error) {
	switch {
	case c.check && c.outDir == "":
		return nil, inputError(fmt.Errorf("--check needs --out-dir"))
	case c.shard != "" && !c.allNodes:
		return nil, inputError(fmt.Errorf("--shard needs --all-nodes"))
	case !c.allNodes:
		node, err := l.node()
		if err != nil {
			return nil, err
		}
		return []string{node}, nil
	case c.outDir == "":
		return nil, inputError(fmt.Errorf("--all-nodes needs --out-dir"))
	case len(l.cluster.Nodes()) == 0:
		return nil, inputError(fmt.Errorf("--all-nodes: the input has no Node objects"))
	}
	return shard(l.cluster.Nodes(), c.shard)
}

// nodeResult is the output of the backends for one node.
type nodeResult struct {
	node      string
	artifacts []namedArtifact
}

type namedArtifact struct {
	backend  string
	artifact backends.Artifact
}

// emitMost gives up the objects that a backend cannot emit, and reports them.
func emitMost(p *ir.Program, b backends.Backend, first error, diags *diag.List) (backends.Artifact, error) {
	a, set, err := isolate.EmitMost(context.Background(), b, p, first)
	origins := failsafe.Origins(p)
	for _, o := range set.Sorted() {
		diags.Add(diag.NotExpressible, origins[o], first.Error())
	}
	return a, err
}

func emit(p *ir.Program, selected []backends.Backend, diags *diag.List) (nodeResult, error) {
	r := nodeResult{node: p.Node.Name}
	for _, b := range selected {
		*diags = append(*diags, backends.Check(b, p)...)
		a, err := isolate.Emit(b, p)
		if err != nil {
			if a, err = emitMost(p, b, err, diags); err != nil {
				return r, systemError(err)
			}
		}
		r.artifacts = append(r.artifacts, namedArtifact{b.Name(), a})
	}
	return r, nil
}
