package resolve

// Compact returns the same table with the most frequent row as the default, and
// class 0 among the rows if it has another one. It is for backends with an
// entry for each row: a rule about every pod of the cluster gives a row to
// every class, and this way it costs one entry.
//
// Among equally frequent rows, the row of class 0 is the default, or else the
// row whose ID sorts first.
func (p *Policy) Compact(t *Table) (defaultRow int, rows []ClassRow) {
	count := make(map[int]int)
	for _, r := range t.Rows {
		count[r.Row]++
	}
	best, most := t.Default, len(p.Classes)+1-len(t.Rows)
	for row, n := range count {
		if n > most || n == most && best != t.Default && row < best {
			best, most = row, n
		}
	}
	if best == t.Default {
		return t.Default, t.Rows
	}
	return best, t.except(p, best)
}

// except lists the classes whose row is not the new default.
func (t *Table) except(p *Policy, row int) []ClassRow {
	out := []ClassRow{{Class: 0, Row: t.Default}}
	next := 0
	for _, c := range p.Classes {
		own := t.Default
		if next < len(t.Rows) && t.Rows[next].Class == c.ID {
			own = t.Rows[next].Row
			next++
		}
		if own != row {
			out = append(out, ClassRow{c.ID, own})
		}
	}
	return out
}
