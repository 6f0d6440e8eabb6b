//go:build !js

package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/interp/foreign"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// proveCommand is `planec prove`.
type proveCommand struct {
	streams  *Streams
	input    input
	backends []string
	allNodes bool
	artifact string
	against  []string
	most     int
	format   string
}

func newProve(s *Streams) *cobra.Command {
	c := &proveCommand{streams: s, most: 3}
	cmd := &cobra.Command{
		Use:   "prove -f PATH... --node NAME --backend NAME",
		Short: "Prove that rules do with every packet what the manifests say",
		Long: `prove shows that the files of a backend do with every packet what the compiled
program says: whatever its source, destination, protocol, ports and interface. It
does not try examples: program and files are evaluated for all packets at once, cut
where one of the two tells packets apart. If they differ, it exits 1 and shows the
lowest packet of each set that is treated differently, with the reasons of both.

Without --artifact, it proves the files that compile would write; with it, those of a
directory. docs/proof.md says what is assumed, and why no packet is forgotten.

With --against, it proves that the rules which kube-proxy has written do the same for the
node's Services as planec's program: the output of nft list ruleset, or those of
iptables-save and ip6tables-save. Of kube-proxy's IPVS mode, give the outputs of
ipvsadm-save -n, ipset save and ip -o addr show dev kube-ipvs0 too. Each may be a file of
its own, or all may be one file. Differences that docs/proof.md documents are listed as
notes. A rule that is not understood ends the proof with exit code 2 if packets come to
it, and so does a listing that is missing.`,
		Example: `  # What compile writes for a node
  planec prove -f manifests/ --node node-a --backend nftables

  # The committed rules of a repository
  planec prove -f manifests/ --node node-a --artifact rules/node-a/nftables

  # Every node and backend, with certificates for machines
  planec prove -f manifests/ --all-nodes --backend all -o json

  # Before a migration: kube-proxy's rules of the node
  nft list ruleset > kube-proxy.nft
  planec prove -f cluster.yaml --config kube-proxy.yaml --node node-a --against kube-proxy.nft

  # The same in kube-proxy's IPVS mode: all listings in one file
  ` + foreign.Recording + `
  planec prove -f cluster.yaml --config kube-proxy.yaml --node node-a --against kube-proxy.ipvs`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	flags := cmd.Flags()
	c.input.register(flags)
	backendsFlag(flags, &c.backends, "backends whose files are proved: nftables, iptables, ipvs, ebpf; or all")
	flags.BoolVar(&c.allNodes, "all-nodes", false, "prove the files of every Node of the input")
	flags.StringVar(&c.artifact, "artifact", "", "prove the files of this directory, instead of those that would be written")
	flags.StringArrayVar(&c.against, "against", nil, "compare kube-proxy's rules in this file: the output of nft list ruleset, or of iptables-save, ip6tables-save, ipvsadm-save -n, ipset save and ip -o addr show, together or apart; may be repeated")
	flags.IntVar(&c.most, "most", c.most, "how many differences to look for")
	formatFlag(flags, &c.format, "text", "json")
	return cmd
}

func (c *proveCommand) run() error {
	if c.most < 1 {
		return inputError(fmt.Errorf("--most %d: want at least 1", c.most))
	}
	l, err := c.input.load(c.streams)
	if err != nil {
		return err
	}
	if len(c.against) > 0 {
		return c.runAgainst(l)
	}
	nodes, err := c.nodes(l)
	if err != nil {
		return err
	}
	given, err := c.given(l)
	if err != nil {
		return err
	}
	input, err := inputDigest(l)
	if err != nil {
		return systemError(err)
	}
	diags := l.diagnostics()
	var list []proof.Certificate
	for _, node := range nodes {
		c.streams.progress.step("proving the files of node %s", node)
		program, found := l.cluster.Program(node)
		diags = append(diags, found...)
		for _, g := range given {
			certificate, err := g.prove(program, c.most, &diags)
			if err != nil {
				return err
			}
			certificate.Input = input
			list = append(list, certificate)
		}
	}
	c.streams.progress.end()
	if err := l.report(diags); err != nil {
		return err
	}
	return c.write(list)
}

func (c *proveCommand) nodes(l *loaded) ([]string, error) {
	switch {
	case c.allNodes && c.artifact != "":
		return nil, inputError(fmt.Errorf("--artifact has the files of one node: give --node"))
	case c.allNodes && len(l.cluster.Nodes()) == 0:
		return nil, inputError(fmt.Errorf("--all-nodes: the input has no Node objects"))
	case c.allNodes:
		return l.cluster.Nodes(), nil
	}
	node, err := l.node()
	return []string{node}, err
}

// proved is a backend whose files are to be proved: those that it emits, or given ones.
type proved struct {
	backend backends.Backend
	files   *backends.Artifact
	dir     string // where the files are from, or ""
}

func (c *proveCommand) given(l *loaded) ([]proved, error) {
	if c.artifact != "" {
		if len(c.backends) > 1 || slices.Contains(c.backends, "all") {
			return nil, inputError(fmt.Errorf("--artifact has the files of one backend"))
		}
		e, err := readArtifact(c.artifact, strings.Join(c.backends, ""))
		if err != nil {
			return nil, err
		}
		selected, err := registry.Select(l.options, e.Backend)
		if err != nil {
			return nil, inputError(err)
		}
		return []proved{{selected[0], &e.Artifact, c.artifact}}, nil
	}
	if len(c.backends) == 0 {
		return nil, inputError(fmt.Errorf("--backend is missing: choose from %s", strings.Join(registry.Names(), ", ")))
	}
	selected, err := registry.Select(l.options, c.backends...)
	if err != nil {
		return nil, inputError(err)
	}
	var out []proved
	for _, b := range selected {
		out = append(out, proved{backend: b})
	}
	return out, nil
}

// prove proves the files for a program.
func (g *proved) prove(p *ir.Program, most int, diags *diag.List) (proof.Certificate, error) {
	artifact := g.files
	if artifact == nil {
		r, err := emit(p, []backends.Backend{g.backend}, diags)
		if err != nil {
			return proof.Certificate{}, err
		}
		artifact = &r.artifacts[0].artifact
	}
	report, err := proof.Artifact(p, g.backend, *artifact, most)
	if err != nil {
		if g.dir != "" {
			err = fmt.Errorf("%s: %w", g.dir, err)
		}
		return proof.Certificate{}, inputError(fmt.Errorf("node %s, %s: nothing is proved: %w", p.Node.Name, g.backend.Name(), err))
	}
	c := proof.CertificateOf(&report, p, g.backend.Name())
	text, err := p.JSON()
	if err != nil {
		return c, systemError(err)
	}
	c.Program, c.Artifact = digest(text), digest(sums(*artifact))
	return c, nil
}

func (c *proveCommand) write(list []proof.Certificate) error {
	err := c.streams.forPeople(c.format, func(w io.Writer) error {
		if c.format == "json" {
			out := json.NewEncoder(w)
			out.SetIndent("", "  ")
			return out.Encode(list)
		}
		for i := range list {
			if err := proof.WriteText(w, &list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return written(err)
	}
	if slices.ContainsFunc(list, func(c proof.Certificate) bool { return !c.Proved }) {
		return finding()
	}
	return nil
}

// inputDigest is that of the objects as they were read, with the names of their files.
func inputDigest(l *loaded) (string, error) {
	sum := sha256.New()
	if err := json.NewEncoder(sum).Encode(l.objects); err != nil {
		return "", fmt.Errorf("the digest of the input: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// proveAll proves the files of backends. The error has the first difference.
func proveAll(p *ir.Program, selected []backends.Backend, r nodeResult) error {
	for i, b := range selected {
		if err := proveOne(p, b, r.artifacts[i].artifact); err != nil {
			return err
		}
	}
	return nil
}

// proveOne proves the files of a backend. The error has the first difference.
func proveOne(p *ir.Program, b backends.Backend, a backends.Artifact) error {
	g := proved{backend: b, files: &a}
	c, err := g.prove(p, 1, nil)
	if err != nil || c.Proved {
		return err
	}
	var text strings.Builder
	if err := proof.WriteText(&text, &c); err != nil {
		return systemError(err)
	}
	return &exitError{exitFinding, errors.New(strings.TrimSuffix(text.String(), "\n"))}
}
