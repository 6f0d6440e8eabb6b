package resolve

import "slices"

// Compact returns the same table with the most frequent row as the default, and
// class 0 among the rows if it has another one. It is for backends with an
// entry for each row: a rule about every pod of the cluster gives a row to
// every class, and this way it costs one entry.
//
// Among equally frequent rows, the row of class 0 is the default, or else the
// row whose ID sorts first.
func (t *Table) Compact() (defaultRow int, rows []ClassRow) {
	if t.others == t.Default {
		return t.others, t.rows
	}
	return t.others, append([]ClassRow{{Class: 0, Row: t.Default}}, t.rows...)
}

// Others returns the default row of the compact table.
func (t *Table) Others() int { return t.others }

// Shares reports whether two tables have the same rows, in the same memory, for all classes
// that both know.
func (t *Table) Shares(o *Table) bool {
	return t.Own == o.Own && t.Default == o.Default && t.others == o.others && sameList(t.rows, o.rows)
}

// fill sets the rows of the classes: those of list, sorted by class, and the default for others.
func (t *Table) fill(classes []Class, list []placed) {
	t.classes, t.others, t.rows = classes, t.Default, nil
	if len(list) == 0 {
		return
	}
	t.rows = make([]ClassRow, len(list))
	for i, p := range list {
		t.rows[i] = ClassRow{classes[p.class].ID, p.row}
	}
	t.counted = countRows(t.rows)
	t.settle()
}

// settle makes the most frequent row that of the others. The rows are counted.
func (t *Table) settle() {
	best := t.commonest()
	if best == t.others {
		return
	}
	rows := make([]ClassRow, 0, len(t.classes))
	old := t.rows
	for i := range t.classes {
		r := ClassRow{t.classes[i].ID, t.others}
		if len(old) > 0 && old[0].Class == r.Class {
			r, old = old[0], old[1:]
		}
		if r.Row != best {
			rows = append(rows, r)
		}
	}
	t.others, t.rows = best, slices.Clip(rows)
	t.counted = countRows(t.rows)
}

// commonest returns the most frequent row; class 0 counts too.
func (t *Table) commonest() int {
	classes := func(row int) (n int) {
		if row == t.Default {
			n = 1
		}
		if row == t.others {
			return n + len(t.classes) - len(t.rows)
		}
		if i, found := slices.BinarySearchFunc(t.counted, row, func(c rowCount, row int) int { return c.row - row }); found {
			n += t.counted[i].classes
		}
		return n
	}
	best, most := t.Default, classes(t.Default)
	try := func(row int) {
		if n := classes(row); n > most || n == most && best != t.Default && row < best {
			best, most = row, n
		}
	}
	try(t.others)
	for _, c := range t.counted {
		try(c.row)
	}
	return best
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

// Used yields the rows of the table, without those of source ports and that for the own node.
func (p *Policy) Used(t *Table, yield func(row int)) {
	yield(t.Default)
	if t.others != t.Default {
		yield(t.others)
	}
	for _, c := range t.counted {
		if c.row != t.Default {
			yield(c.row)
		}
	}
}

// renamed returns the table with other numbers of rows.
func (t *Table) renamed(moved []int) *Table {
	out := &Table{Own: t.Own, Default: moved[t.Default], classes: t.classes, others: moved[t.others], rows: make([]ClassRow, len(t.rows))}
	if t.Own >= 0 {
		out.Own = moved[t.Own]
	}
	for i, r := range t.rows {
		out.rows[i] = ClassRow{r.Class, moved[r.Row]}
	}
	out.counted = countRows(out.rows)
	return out
}
