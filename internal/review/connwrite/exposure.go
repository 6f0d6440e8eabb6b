package connwrite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/internal/review/compare"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/ir"
)

// section is one heading of the exposure with its lines.
type section struct {
	title string
	lines []string
}

// sections formats an exposure: which workloads no policy protects, and to whom the
// others are open.
func sections(x *connectivity.Exposure) []section {
	var out []section
	for _, s := range []struct {
		title      string
		directions []ir.Direction
	}{
		{"no policy protects", []ir.Direction{ir.Ingress, ir.Egress}},
		{"no policy limits who reaches", []ir.Direction{ir.Ingress}},
		{"no policy limits whom these reach", []ir.Direction{ir.Egress}},
	} {
		var names []string
		for _, u := range x.Unprotected {
			if slices.Equal(u.Directions, s.directions) {
				names = append(names, u.End.Label())
			}
		}
		if len(names) > 0 {
			out = append(out, section{s.title, names})
		}
	}
	for _, s := range []struct {
		title string
		to    compare.Exposed
	}{{"open to the whole cluster", compare.WholeCluster}, {"open to pods that the input lacks", compare.Lacking}, {"open to outside", compare.OutsideWorld}} {
		var lines []string
		for i := range x.Open {
			if x.Open[i].To == s.to {
				lines = append(lines, exposed(&x.Open[i]))
			}
		}
		if len(lines) > 0 {
			out = append(out, section{s.title, lines})
		}
	}
	return out
}

func exposed(e *compare.Exposure) string {
	verb := "can be reached from"
	if e.Direction == ir.Egress {
		verb = "can reach"
	}
	return fmt.Sprintf("%s/%s %s %s on %v", e.Namespace, e.Name, verb, e.Peers, e.Ports)
}

func textExposures(b *strings.Builder, o *Options) {
	if o.Exposures == nil {
		return
	}
	for _, s := range sections(o.Exposures) {
		fmt.Fprintf(b, "\n%s\n", s.title)
		for _, l := range s.lines {
			fmt.Fprintf(b, "  %s\n", l)
		}
	}
}
