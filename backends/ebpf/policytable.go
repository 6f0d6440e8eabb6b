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

// Bounds of policies: maps of their size take a few hundred MiB of the kernel's
// memory, which cannot be swapped out.
const (
	maxClasses = 1 << 16
	maxRows    = 1 << 22
)

var errTooLarge = errors.New("policies are too large")

// policyTables are the tables of a policy as the maps will have them.
type policyTables struct {
	*resolve.Policy
	// prefixes are what class will have, classes those of them, sorted and
	// without 0.
	prefixes []resolve.Network
	classes  []uint32
	// rows are the identities of Policy.Rows.
	rows   []layout.PolicyID
	tables map[*resolve.Table]policyTable
}

// policyTable is one direction of a profile: the row that most classes have, and
// the others, sorted by class. Unlike those of package resolve they may be of
// class 0.
type policyTable struct {
	standard layout.PolicyID
	rows     []classRow
}

type classRow struct {
	class uint32
	row   layout.PolicyID
}

// resolvePolicy returns the tables of a policy, nil where it has no profiles, and
// errTooLarge where they do not fit. Nothing is emitted then: an image that
// leaves policies out would let everything pass.
func resolvePolicy(p *ir.Policy, hash identity.Hash) (*policyTables, error) {
	if len(p.Profiles) == 0 {
		return nil, nil
	}
	t := &policyTables{Policy: resolve.New(p, hash), tables: make(map[*resolve.Table]policyTable)}
	if n := len(t.Classes); n > maxClasses {
		return nil, fmt.Errorf("%w: the rules tell %d classes of addresses apart, %d at most; select with fewer different labels and networks, or use the nftables backend", errTooLarge, n, maxClasses)
	}
	t.cut()
	ids := newPolicyIDs(hash)
	for i := range t.Rows {
		t.rows = append(t.rows, ids.row(&t.Rows[i]))
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

// polices reports whether a profile can refuse anything.
func (t *policyTables) polices() bool { return t != nil && len(t.tables) > 0 }

// compact chooses the default row and lists the classes that have another one.
func (t *policyTables) compact(table *resolve.Table) policyTable {
	none := t.rows[table.Default]
	var own []classRow
	count := make(map[layout.PolicyID]int)
	for _, r := range table.Rows {
		if _, laid := slices.BinarySearch(t.classes, r.Class); laid {
			own = append(own, classRow{r.Class, t.rows[r.Row]})
			count[t.rows[r.Row]]++
		}
	}
	count[none] = 1 + len(t.classes) - len(own)
	out := policyTable{standard: standardRow(count, none)}
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

// standardRow chooses the row that stands for all classes without an entry, of
// which count says how many have which row: that of class 0, as people would
// expect, unless another one is much commoner. It often is: the rule that lets
// every pod of the cluster ask for names gives nearly every class the same row
// and class 0 none.
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

// cut makes the prefixes of the classes. A host is a prefix of full length, so
// the longest match never looks at the networks around it.
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
