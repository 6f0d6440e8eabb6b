package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/planec/planec/internal/proof"
)

// mostChanges is how many sets of packets are looked for on a node.
const mostChanges = 20000

// nodeChanges is what changes on a node, for machines.
type nodeChanges struct {
	Node string `json:"node"`
	// Complete says that no other packets are treated in another way.
	Complete bool              `json:"complete"`
	Changes  []proof.ChangeSet `json:"changes"`
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
	differ := false
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
			list = append(list, nodeChanges{node, complete, proof.ChangeSets(changes)})
			if d.format == "text" {
				if err := proof.WriteChanges(w, node, changes, complete); err != nil {
					return err
				}
			}
		}
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
	if len(list) == 0 {
		return inputError(errors.New("--prove compares the nodes that OLD and NEW both have, and there is none"))
	}
	if differ && !d.exitZero {
		return finding()
	}
	return nil
}
