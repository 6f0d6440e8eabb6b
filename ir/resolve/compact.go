package resolve

// Compact returns the same table with the most frequent row as the default, and
// class 0 among the rows if it has another one. It is for backends with an
// entry for each row: a rule about every pod of the cluster gives a row to
// every class, and this way it costs one entry.
//
// Among equally frequent rows, the row of class 0 is the default, or else the
// row whose ID sorts first.
func (p *Policy) Compact(t *Table) (defaultRow int, rows []ClassRow) {
	best := p.Commonest(t)
	if best == t.Default {
		return t.Default, t.Rows
	}
	return best, t.except(p, best)
}

// Commonest returns the default row of the compact table.
func (p *Policy) Commonest(t *Table) int {
	best, most := t.Default, len(p.Classes)+1-len(t.Rows)
	for _, c := range t.counts() {
		if c.classes > most || c.classes == most && best != t.Default && c.row < best {
			best, most = c.row, c.classes
		}
	}
	return best
}

// counts returns how many classes have each row that is not the default.
func (t *Table) counts() []rowCount {
	if t.counted == nil {
		return countRows(t.Rows)
	}
	return t.counted
}

// countRows counts the rows, which are few and small numbers, of many classes.
func countRows(rows []ClassRow) []rowCount {
	var count []int
	for _, r := range rows {
		for r.Row >= len(count) {
			count = append(count, 0)
		}
		count[r.Row]++
	}
	out := make([]rowCount, 0, 4)
	for row, n := range count {
		if n > 0 {
			out = append(out, rowCount{row, n})
		}
	}
	return out
}

// Used yields the rows that the compact table refers to, without those of source ports and
// that for the own node.
func (p *Policy) Used(t *Table, yield func(row int)) {
	best := p.Commonest(t)
	yield(best)
	if best != t.Default {
		yield(t.Default)
	}
	for _, c := range t.counts() {
		if c.row != best {
			yield(c.row)
		}
	}
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
