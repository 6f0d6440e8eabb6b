package peers

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// titles are the tables of Services, in their order.
func titles() []Title {
	return []Title{
		{First, "first apply, CPU s", true},
		{Slice, "one slice changed, CPU s", true},
		{Nothing, "nothing changed (kube-proxy: one sync; planec: the slice comes again), CPU s", true},
		{Event, "the slice comes again (kube-proxy does not sync), CPU s", false},
		{Restart, "restart over right rules, CPU s", true},
		{peakOf + First, "peak memory of the first apply, MB", true},
		{peakOf + Event, "the same with the changes after it, MB", true},
		{peakOf + Restart, "peak memory of the restart, MB", true},
		{p50, "connect from a pod through a random Service, p50 in µs", true},
		{p99, "the same, p99 in µs", true},
	}
}

// Report writes all tables in Markdown.
func (r *Results) Report(w io.Writer, revision string, now time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured by `make bench-peers`, %s %s\n", machine(revision, now), r.without)
	for _, t := range titles() {
		if err := r.services(&b, t); err != nil {
			return err
		}
	}
	for _, t := range []Title{
		{p50, "policies of the pod: connect, p50 in µs", false},
		{p99, "the same, p99 in µs", false},
		{round, "a request and its answer on a connection that stands, CPU ns", false},
	} {
		if err := r.underPolicy(&b, t); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Results) services(w io.Writer, title Title) error {
	t := Table{Title: title}
	for _, size := range r.options.Sizes {
		t.Columns = append(t.Columns, Column{Text: size5(size), Size: float64(size)})
	}
	for _, e := range r.engines {
		row := Row{Engine: e}
		for _, size := range r.options.Sizes {
			row.Cells = append(row.Cells, r.cells[cell{title.Figure, e, size}])
		}
		t.Rows = append(t.Rows, row)
	}
	return t.after(w)
}

func (r *Results) underPolicy(w io.Writer, title Title) error {
	t := Table{Title: title, Plain: true}
	for _, n := range policyCounts() {
		t.Columns = append(t.Columns, Column{Text: thousands(strconv.Itoa(n)), Size: float64(n)})
	}
	t.Columns[0].Text = "none"
	for _, e := range Engines() {
		row := Row{Engine: e}
		for _, n := range policyCounts() {
			row.Cells = append(row.Cells, r.policy[cell{title.Figure, e, n}])
		}
		if slices.ContainsFunc(row.Cells, func(v Value) bool { return v != Value{} }) {
			t.Rows = append(t.Rows, row)
		}
	}
	return t.after(w)
}

// after writes a table after an empty line, if it has a row.
func (t *Table) after(w io.Writer) error {
	if len(t.Rows) == 0 {
		return nil
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return t.Markdown(w)
}

// size5 names a number of Services.
func size5(n int) string {
	return fmt.Sprintf("%s × %d", thousands(strconv.Itoa(n)), endpoints)
}

// Unmeasured are the cells that have neither a number nor a reason; a run that was right
// has none.
func (r *Results) Unmeasured() (out []string) {
	for _, e := range r.engines {
		for _, size := range r.options.Sizes {
			for _, t := range titles() {
				if r.cells[cell{t.Figure, e, size}] == (Value{}) {
					out = append(out, fmt.Sprintf("%v, %d Services: %s", e, size, t.Text))
				}
			}
		}
	}
	return out
}
