//go:build !js

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/ir/diag"
)

// mostChanges is how many sets of packets are looked for on a node.
const mostChanges = 20000

// nodeChanges is what changes on a node, for machines.
type nodeChanges struct {
	Node string `json:"node"`
	// Complete says that no other packets are treated in another way.
	Complete bool              `json:"complete"`
	Changes  []proof.ChangeSet `json:"changes"`
	// Only is "OLD" or "NEW" for a node that one side alone has. It counts as a difference.
	Only string `json:"only,omitempty"`
}

// alone returns the nodes that only one side has.
func (d *diffCommand) alone(old, now []string) []nodeChanges {
	var out []nodeChanges
	add := func(list, other []string, side string) {
		for _, node := range list {
			if !slices.Contains(other, node) && (d.input.nodeName == "" || node == d.input.nodeName) {
				out = append(out, nodeChanges{Node: node, Only: side, Changes: []proof.ChangeSet{}})
			}
		}
	}
	add(old, now, "OLD")
	add(now, old, "NEW")
	return out
}

// proveChanges lists the packets that nodes of both sides treat in another way.
func (d *diffCommand) proveChanges(before, after *diffSide) error {
	if before.loaded == nil || after.loaded == nil {
		return inputError(errors.New("--prove compares manifests: compiled rules are compared with manifests by planec prove --artifact"))
	}
	if d.format != "text" && d.format != "json" {
		return inputError(fmt.Errorf("--prove writes text or json, not %s", d.format))
	}
	if err := reportBoth(before, after); err != nil {
		return err
	}
	old, now := before.loaded.cluster.Nodes(), after.loaded.cluster.Nodes()
	var list []nodeChanges
	alone := d.alone(old, now)
	differ := len(alone) > 0
	write := func(w io.Writer) error {
		for _, node := range now {
			if !slices.Contains(old, node) || d.input.nodeName != "" && node != d.input.nodeName {
				continue
			}
			d.streams.progress.step("proving what changes on node %s", node)
			was, _ := before.loaded.cluster.Program(node)
			is, _ := after.loaded.cluster.Program(node)
			changes, complete, err := proof.Changes(was, is, mostChanges)
			if err != nil {
				return systemError(fmt.Errorf("node %s: nothing is proved: %w", node, err))
			}
			d.streams.progress.end()
			differ = differ || len(changes) > 0
			list = append(list, nodeChanges{Node: node, Complete: complete, Changes: proof.ChangeSets(changes)})
			if d.format == "text" {
				if err := proof.WriteChanges(w, node, changes, complete); err != nil {
					return err
				}
			}
		}
		for _, n := range alone {
			if d.format == "text" {
				if _, err := fmt.Fprintf(w, "node %s: only in %s: nothing is compared\n", diag.Printable(n.Node), n.Only); err != nil {
					return err
				}
			}
		}
		list = append(list, alone...)
		if d.format == "json" {
			out := json.NewEncoder(w)
			out.SetIndent("", "  ")
			return out.Encode(list)
		}
		return nil
	}
	if err := d.streams.forPeople(d.format, write); err != nil {
		return written(err)
	}
	if len(list) == len(alone) {
		return inputError(errors.New("--prove compares the nodes that OLD and NEW both have, and there is none"))
	}
	if differ && !d.exitZero {
		return finding()
	}
	return nil
}
