package cli

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir/diag"
)

func parseMatrixPorts(words []string) ([]netpath.Port, error) {
	var out []netpath.Port
	for _, word := range words {
		var c netpath.Connection
		if err := parsePort(&c, word, nil); err != nil || c.Port == 0 {
			return nil, fmt.Errorf("--port %s: want a number from 1 to 65535, with /tcp, /udp or /sctp", word)
		}
		if p := (netpath.Port{Protocol: c.Protocol, Number: c.Port}); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("--port is missing")
	}
	slices.SortFunc(out, func(a, b netpath.Port) int {
		return cmp.Or(strings.Compare(a.Protocol.String(), b.Protocol.String()), cmp.Compare(a.Number, b.Number))
	})
	return out, nil
}

// matrixWriter writes sorted pairs one by one.
type matrixWriter interface {
	add(from, to *netpath.Pod, port netpath.Port, allowed bool)
	end() error
}

// newMatrixWriter makes the writer of a form.
type newMatrixWriter = func(*bufio.Writer, []netpath.Pod, []netpath.Port) matrixWriter

var matrixWriters = map[string]newMatrixWriter{
	"tsv":  func(w *bufio.Writer, _ []netpath.Pod, _ []netpath.Port) matrixWriter { return &tsvMatrix{w} },
	"json": newJSONMatrix,
	"text": func(w *bufio.Writer, pods []netpath.Pod, ports []netpath.Port) matrixWriter {
		return &gridMatrix{w: w, list: pods, ports: ports, cells: make(map[netpath.Port][]bool), draw: (*gridMatrix).text}
	},
	"html": func(w *bufio.Writer, pods []netpath.Pod, ports []netpath.Port) matrixWriter {
		return &htmlMatrix{gridMatrix{w: w, list: pods, ports: ports, cells: make(map[netpath.Port][]bool)}}
	},
	"md": func(w *bufio.Writer, pods []netpath.Pod, ports []netpath.Port) matrixWriter {
		return &gridMatrix{w: w, list: pods, ports: ports, cells: make(map[netpath.Port][]bool), draw: (*gridMatrix).markdown}
	},
}

// tsvMatrix is the stable format: from, to, protocol, port, allowed or blocked.
type tsvMatrix struct{ w *bufio.Writer }

func (m *tsvMatrix) end() error { return nil }

func (m *tsvMatrix) add(from, to *netpath.Pod, port netpath.Port, allowed bool) {
	// Fprintf is too slow for millions of lines. The writer keeps errors.
	b := append(append(m.w.AvailableBuffer(), from.String()...), '\t')
	b = append(append(b, to.String()...), '\t')
	b = append(append(b, port.Protocol.String()...), '\t')
	b = append(strconv.AppendUint(b, uint64(port.Number), 10), '\t')
	m.w.Write(append(append(b, allowedWord(allowed)...), '\n'))
}

func allowedWord(allowed bool) string {
	if allowed {
		return "allowed"
	}
	return "blocked"
}

// jsonMatrix is one object with a list of pairs, written one by one.
type jsonMatrix struct {
	w     *bufio.Writer
	first bool
}

func newJSONMatrix(w *bufio.Writer, _ []netpath.Pod, _ []netpath.Port) matrixWriter {
	io.WriteString(w, `{"connections":[`) // the writer keeps errors
	return &jsonMatrix{w: w, first: true}
}

func (m *jsonMatrix) add(from, to *netpath.Pod, port netpath.Port, allowed bool) {
	sep := ",\n"
	if m.first {
		sep = "\n"
	}
	m.first = false
	line, _ := json.Marshal(struct {
		From     string `json:"from"`
		To       string `json:"to"`
		Protocol string `json:"protocol"`
		Port     uint16 `json:"port"`
		Allowed  bool   `json:"allowed"`
	}{from.String(), to.String(), port.Protocol.String(), port.Number, allowed})
	io.WriteString(m.w, sep) // the writer keeps errors
	m.w.Write(line)
}

func (m *jsonMatrix) end() error {
	_, err := io.WriteString(m.w, "\n]}\n")
	return err
}

// gridMatrix draws one table for each port; for too many pods it counts
// instead.
type gridMatrix struct {
	w     *bufio.Writer
	list  []netpath.Pod
	ports []netpath.Port
	cells map[netpath.Port][]bool
	draw  func(*gridMatrix, netpath.Port, []bool)
	// key reports that the tables need a legend.
	key bool
	// note says what the table cannot show.
	note string
	// width is that of the terminal, or 0 where nothing is fitted.
	width int
}

// widest is the maximum number of pods in a grid.
const widest = 60

func (m *gridMatrix) add(_, _ *netpath.Pod, port netpath.Port, allowed bool) {
	m.cells[port] = append(m.cells[port], allowed)
}

func (m *gridMatrix) end() error {
	for i, port := range m.ports {
		if i > 0 {
			fmt.Fprintln(m.w)
		}
		m.draw(m, port, m.cells[port])
	}
	if m.key {
		fmt.Fprintf(m.w, "\nrows are sources, numbered columns the same pods as destinations: yes is allowed, NO is blocked, - is the pod itself\n")
	}
	if m.note != "" {
		fmt.Fprintf(m.w, "\nnote: %s\n", diag.Printable(m.note))
	}
	return m.w.Flush()
}

// cell returns the answer for a pair; ok is false on the diagonal.
func (m *gridMatrix) cell(cells []bool, from, to int) (allowed, ok bool) {
	if from == to {
		return false, false
	}
	at := from*(len(m.list)-1) + to
	if to > from {
		at--
	}
	return cells[at], true
}

func (m *gridMatrix) summary(port netpath.Port, cells []bool) string {
	if len(m.list) < 2 {
		return fmt.Sprintf("port %d/%v: the input has %s, and so no pairs", port.Number, port.Protocol, count(len(m.list), "pod"))
	}
	allowed := 0
	for _, c := range cells {
		if c {
			allowed++
		}
	}
	return fmt.Sprintf("port %d/%v: %d of %d pairs allowed", port.Number, port.Protocol, allowed, len(cells))
}

func (m *gridMatrix) text(port netpath.Port, cells []bool) {
	fmt.Fprintln(m.w, m.summary(port, cells))
	if len(m.list) > widest {
		m.counts(cells, "  %-40s reaches %d of %d\n")
		return
	}
	name := 0
	for i := range m.list {
		name = max(name, len(m.list[i].String()))
	}
	each := len(m.list)
	if m.width > 0 {
		name = min(name, max(m.width/2, narrowest))
		each = max((m.width-name-rowNumber)/cellWidth, 1)
	}
	for first := 0; first < len(m.list); first += each {
		if first > 0 {
			fmt.Fprintln(m.w)
		}
		m.columns(cells, name, first, min(first+each, len(m.list)))
	}
	m.key = true
}

const (
	// rowNumber and cellWidth are the columns of a row's number, and of one of its cells.
	rowNumber, cellWidth = 4, 5
	// narrowest is how many letters of a name are left at least.
	narrowest = 16
)

// columns draws some of the columns: a table that is wider than the terminal is cut into
// several, one below the other.
func (m *gridMatrix) columns(cells []bool, name, first, end int) {
	fmt.Fprintf(m.w, "%-*s", name+rowNumber, "from \\ to")
	for i := first; i < end; i++ {
		fmt.Fprintf(m.w, "  %3d", i+1)
	}
	fmt.Fprintln(m.w)
	for from := range m.list {
		fmt.Fprintf(m.w, "%2d  %-*s", from+1, name, cut(diag.Printable(m.list[from].String()), name))
		for to := first; to < end; to++ {
			fmt.Fprintf(m.w, "  %3s", mark(m.cell(cells, from, to)))
		}
		fmt.Fprintln(m.w)
	}
}

// mark draws a cell in words that cannot be confused: "yes" is allowed, "NO" blocked, "-"
// the pod itself.
func mark(allowed, ok bool) string {
	switch {
	case !ok:
		return "-"
	case allowed:
		return "yes"
	}
	return "NO"
}

func (m *gridMatrix) counts(cells []bool, format string) {
	for from := range m.list {
		n := 0
		for to := range m.list {
			if allowed, _ := m.cell(cells, from, to); allowed {
				n++
			}
		}
		fmt.Fprintf(m.w, format, diag.Printable(m.list[from].String()), n, len(m.list)-1)
	}
}

func (m *gridMatrix) markdown(port netpath.Port, cells []bool) {
	fmt.Fprintf(m.w, "### %s\n\nRows are sources, columns destinations; - is the pod itself.\n\n", m.summary(port, cells))
	if len(m.list) > widest {
		fmt.Fprintln(m.w, "| from | reaches | of |\n|---|---|---|")
		m.counts(cells, "| `%s` | %d | %d |\n")
		return
	}
	head, rule := "| from \\ to |", "|---|"
	for i := range m.list {
		head += " `" + diag.Printable(m.list[i].String()) + "` |"
		rule += "---|"
	}
	fmt.Fprintf(m.w, "%s\n%s\n", head, rule)
	for from := range m.list {
		fmt.Fprintf(m.w, "| `%s` |", diag.Printable(m.list[from].String()))
		for to := range m.list {
			word := "-"
			if allowed, ok := m.cell(cells, from, to); ok {
				word = allowedWord(allowed)
			}
			fmt.Fprintf(m.w, " %s |", word)
		}
		fmt.Fprintln(m.w)
	}
}
