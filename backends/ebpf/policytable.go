package ebpf

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
	"github.com/planec/planec/ir/resolve"
)

// Limits of policies. Maps of this size take a few hundred MiB of kernel memory,
// which cannot be swapped out.
const (
	maxClasses = 1 << 16
	maxRows    = 1 << 22
)

var errTooLarge = errors.New("policies are too large")

// policyTables are the tables of a policy in the form of the maps.
type policyTables struct {
	*resolve.Policy
	// prefixes are the future entries of class; classes are their distinct
	// classes, sorted and without 0.
	prefixes []resolve.Network
	classes  []uint32
	// rows are the identities of Policy.Rows, by index; laid are those that depend on
	// ports or log.
	rows   []layout.PolicyID
	laid   laidRows
	tables map[*resolve.Table]policyTable
}

// policyTable is one direction of a profile: the row that most classes have, and
// the other rows, sorted by class. Unlike the tables of package resolve, it may
// list class 0.
type policyTable struct {
	standard layout.PolicyID
	rows     []classRow
	// own is the row of packets from the own node, or zero if they pass.
	own layout.PolicyID
}

type classRow struct {
	class uint32
	row   layout.PolicyID
}

// resolvePolicy returns the tables of a policy, nil if it has no profiles, and
// errTooLarge if they do not fit. Nothing is emitted then, because an image
// without some policies would accept too much.
func resolvePolicy(p *ir.Policy, hash identity.Hash, policies *resolve.Memo) (*policyTables, error) {
	if len(p.Profiles) == 0 {
		return nil, nil
	}
	t := &policyTables{Policy: policies.New(p, hash), tables: make(map[*resolve.Table]policyTable)}
	if n := len(t.Classes); n > maxClasses {
		return nil, fmt.Errorf("%w: the rules tell %d classes of addresses apart, %d at most; select with fewer different labels and networks, or use the nftables backend", errTooLarge, n, maxClasses)
	}
	t.cut()
	if err := t.layRows(hash); err != nil {
		return nil, err
	}
	rows := 0
	for i := range t.Profiles {
		for _, d := range ir.Directions() {
			if table := t.Profiles[i].Table(d); table != nil {
				t.tables[table] = t.compact(table)
				rows += len(t.tables[table].rows)
			}
		}
	}
	if rows > maxRows {
		return nil, fmt.Errorf("%w: %d pairs of a profile and a class have a row, %d at most; select with fewer different labels and networks, or use the nftables backend", errTooLarge, rows, maxRows)
	}
	return t, nil
}

// layRows lays the rows out: first those that others refer to for source ports.
func (t *policyTables) layRows(hash identity.Hash) error {
	ids := newPolicyIDs(hash)
	t.rows, t.laid = make([]layout.PolicyID, len(t.Rows)), make(laidRows)
	for _, referring := range []bool{false, true} {
		for i := range t.Rows {
			r := &t.Rows[i]
			if (len(r.Sources) > 0) != referring {
				continue
			}
			if n := len(r.Logs); n > layout.MaxLogs {
				return fmt.Errorf("%w: packets of a pod are logged with %d prefixes, %d at most; use the nftables backend", errTooLarge, n, layout.MaxLogs)
			}
			laid := newLaidRow(r, t.rows)
			t.rows[i] = ids.row(&laid)
			if _, constant := laid.constant(); !constant {
				t.laid[t.rows[i]] = &laid
			}
		}
	}
	return nil
}

// polices reports whether any profile can refuse packets.
func (t *policyTables) polices() bool { return t != nil && len(t.tables) > 0 }

// compact selects the default row and lists the classes with other rows.
func (t *policyTables) compact(table *resolve.Table) policyTable {
	none := t.rows[table.Default]
	var own []classRow
	var out policyTable
	if table.Own >= 0 {
		out.own = t.rows[table.Own]
	}
	count := make(map[layout.PolicyID]int)
	for _, r := range table.Rows {
		if _, laid := slices.BinarySearch(t.classes, r.Class); laid {
			own = append(own, classRow{r.Class, t.rows[r.Row]})
			count[t.rows[r.Row]]++
		}
	}
	count[none] = 1 + len(t.classes) - len(own)
	out.standard = standardRow(count, none)
	if none == out.standard {
		out.rows = own
		return out
	}
	out.rows = append(out.rows, classRow{0, none})
	for _, class := range t.classes {
		row := none
		if len(own) > 0 && own[0].class == class {
			row, own = own[0].row, own[1:]
		}
		if row != out.standard {
			out.rows = append(out.rows, classRow{class, row})
		}
	}
	return out
}

// denies reports whether a table denies anything that does not come from the own node.
func (t *policyTables) denies(table *policyTable) bool {
	return t.laid.denies(table.standard) || slices.ContainsFunc(table.rows, func(r classRow) bool { return t.laid.denies(r.row) })
}

// logs reports whether a row of a table logs.
func (t *policyTables) logs(table *policyTable) bool {
	return t.laid.logs(table.standard) || t.laid.logs(table.own) || slices.ContainsFunc(table.rows, func(r classRow) bool { return t.laid.logs(r.row) })
}

// standardRow selects the row for all classes without an entry; count has the number
// of classes per row. It is the row of class 0, the intuitive choice, unless another
// row is much more frequent. That is common: a rule that gives every pod of the
// cluster access to DNS gives nearly every class the same row, but not class 0.
func standardRow(count map[layout.PolicyID]int, none layout.PolicyID) layout.PolicyID {
	const muchCommoner = 4
	standard, most := none, muchCommoner*count[none]
	for row, n := range count {
		if n > most || n == most && standard != none && bytes.Compare(row[:], standard[:]) < 0 {
			standard, most = row, n
		}
	}
	return standard
}

// cut computes the prefixes of the classes. A host has a prefix of full length, so
// the longest match never reaches the surrounding networks.
func (t *policyTables) cut() {
	list := make([]resolve.Network, 0, len(t.Hosts)+len(t.Networks))
	for _, h := range t.Hosts {
		list = append(list, hostPrefix(h))
	}
	t.prefixes = slimPrefixes(append(list, t.Networks...))
	for _, n := range t.prefixes {
		if n.Class != 0 {
			t.classes = append(t.classes, n.Class)
		}
	}
	slices.Sort(t.classes)
	t.classes = slices.Compact(t.classes)
}
