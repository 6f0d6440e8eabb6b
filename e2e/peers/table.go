package peers

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Value is a cell: a number, or why there is none. A cell that was not asked for has neither.
type Value struct {
	Number float64
	Reason string
}

func (v Value) known() bool { return v.Reason == "" && v.Number > 0 }

func (v Value) String() string {
	if v.Reason != "" || v.Number == 0 {
		return v.Reason
	}
	return digits(v.Number)
}

// digits writes a number with three digits that count.
func digits(v float64) string {
	decimals := max(0, 2-int(math.Floor(math.Log10(v))))
	whole := fmt.Sprintf("%.*f", decimals, v)
	if strings.Contains(whole, ".") {
		return whole
	}
	return thousands(whole)
}

// thousands puts commas into a whole number.
func thousands(whole string) (out string) {
	for len(whole) > 3 {
		whole, out = whole[:len(whole)-3], ","+whole[len(whole)-3:]+out
	}
	return whole + out
}

// Title is a figure and its unit, as the table names them.
type Title struct {
	Figure, Text string
	// Ratio is false where there is nothing to compare.
	Ratio bool
}

// Table has the cells of one figure.
type Table struct {
	Title
	Columns []Column
	Rows    []Row
	// Plain has no exponents.
	Plain bool
}

// Column is a size.
type Column struct {
	Text string
	Size float64
}

// Row is an engine with a cell for each column.
type Row struct {
	Engine Engine
	Cells  []Value
}

// Markdown writes the table, and the exponent of each row.
func (t *Table) Markdown(w io.Writer) error {
	var b strings.Builder
	head := []string{t.Text}
	for _, c := range t.Columns {
		head = append(head, c.Text)
	}
	if !t.Plain {
		head = append(head, "exponent")
	}
	line(&b, head...)
	b.WriteString("|" + strings.Repeat("---|", len(head)) + "\n")
	for _, r := range t.Rows {
		cells := []string{r.Engine.String()}
		for _, c := range r.Cells {
			cells = append(cells, c.String())
		}
		if !t.Plain {
			cells = append(cells, t.exponent(r))
		}
		line(&b, cells...)
	}
	if t.Ratio {
		t.ratios(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// line writes a line of a table.
func line(w io.Writer, cells ...string) {
	for _, c := range cells {
		fmt.Fprint(w, "| ", c)
		if c != "" {
			fmt.Fprint(w, " ")
		}
	}
	fmt.Fprintln(w, "|")
}

func (t *Table) exponent(r Row) string {
	var points []Point
	for i, c := range r.Cells {
		if c.known() {
			points = append(points, Point{t.Columns[i].Size, c.Number})
		}
	}
	e, ok := Exponent(points)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.2f", e)
}

// ratios writes how many times as much kube-proxy needs as each backend of planec.
func (t *Table) ratios(b *strings.Builder) {
	for _, ours := range t.Rows {
		theirs := t.row(ours.Engine.Peer())
		if ours.Engine.Project != Planec || theirs == nil {
			continue
		}
		cells, some := []string{fmt.Sprintf("%v ÷ %v", theirs.Engine, ours.Engine)}, false
		for i := range ours.Cells {
			text := ratio(theirs.Cells[i], ours.Cells[i])
			some = some || text != ""
			cells = append(cells, text)
		}
		if some {
			line(b, append(cells, "")...)
		}
	}
}

func (t *Table) row(e Engine) *Row {
	for i := range t.Rows {
		if t.Rows[i].Engine == e {
			return &t.Rows[i]
		}
	}
	return nil
}

// ratio is empty where one of both is unknown.
func ratio(theirs, ours Value) string {
	if !theirs.known() || !ours.known() {
		return ""
	}
	return digits(theirs.Number/ours.Number) + "×"
}
