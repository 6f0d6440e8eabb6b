//go:build !js

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/interp/foreign"
	"github.com/planec/planec/internal/proof"
)

// runAgainst compares the rules of kube-proxy with the program of a node.
func (c *proveCommand) runAgainst(l *loaded) error {
	if c.artifact != "" || len(c.backends) > 0 || c.allNodes {
		return inputError(fmt.Errorf("--against compares the program of one node: it goes with --node, and without --backend and --artifact"))
	}
	node, err := l.node()
	if err != nil {
		return err
	}
	var files []foreign.File
	var listings backends.Artifact
	for _, path := range c.against {
		text, err := os.ReadFile(path)
		if err != nil {
			return inputError(err)
		}
		files = append(files, foreign.File{Name: path, Text: text})
		listings.Files = append(listings.Files, backends.File{Name: path, Data: text})
	}
	program, found := l.cluster.Program(node)
	diags := append(l.diagnostics(), found...)
	c.streams.progress.step("comparing the rules of node %s", node)
	result, err := proof.CompareForeign(program, proof.Facts{Found: diags, Elsewhere: l.objects.Elsewhere(node)}, files, c.most)
	c.streams.progress.end()
	if err != nil {
		return inputError(fmt.Errorf("node %s: nothing is proved: %w", node, err))
	}
	certificate := proof.AgainstCertificate(&result, program, c.against)
	if certificate.Input, err = inputDigest(l); err != nil {
		return systemError(err)
	}
	text, err := program.JSON()
	if err != nil {
		return systemError(err)
	}
	certificate.Program, certificate.Artifact = digest(text), digest(sums(listings))
	if err := l.report(diags); err != nil {
		return err
	}
	return c.writeAgainst(&certificate)
}

func (c *proveCommand) writeAgainst(certificate *proof.Certificate) error {
	err := c.streams.forPeople(c.format, func(w io.Writer) error {
		if c.format == "json" {
			out := json.NewEncoder(w)
			out.SetIndent("", "  ")
			return out.Encode([]*proof.Certificate{certificate})
		}
		return proof.WriteAgainst(w, certificate)
	})
	if err != nil {
		return written(err)
	}
	if !certificate.Proved {
		return finding()
	}
	return nil
}
