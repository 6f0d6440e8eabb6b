package connwrite

import (
	"encoding/csv"
	"io"
	"strings"

	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/ir/diag"
)

// CSV writes a row for each pair that can connect: from, to, ports, with explanations
// because, and family, which is empty unless policies tell the families of the pair apart. Fields that a spreadsheet would take for a formula begin with an apostrophe.
func CSV(w io.Writer, m *connectivity.Map, o *Options) error {
	out := csv.NewWriter(w)
	head := []string{"from", "to", "ports"}
	if o.Explain {
		head = append(head, "because")
	}
	err := out.Write(append(head, "family"))
	pairs(m, o, func(p pair) {
		row := []string{plainCell(p.from), plainCell(p.to), p.ports}
		if o.Explain {
			row = append(row, plainCell(strings.Join(p.because, "; ")))
		}
		if err == nil {
			err = out.Write(append(row, p.family))
		}
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

func plainCell(s string) string {
	s = diag.Printable(s)
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}
