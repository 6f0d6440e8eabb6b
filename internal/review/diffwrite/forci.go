package diffwrite

import (
	"strings"

	"github.com/planec/planec/internal/review/ciformat"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
)

// forCI converts the findings of a report, followed by its notes.
func forCI(r *diffreport.Report, places ciformat.Places) *ciformat.Report {
	out := &ciformat.Report{Name: "planec diff", Places: places}
	for _, k := range diffreport.Kinds() {
		out.Rules = append(out.Rules, ciformat.Rule{ID: "network-" + string(k), Title: meanings()[k], Level: level(k)})
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		at := located(r, f)
		out.Findings = append(out.Findings, ciformat.Finding{
			Rule: "network-" + string(f.Kind), Title: "network: " + string(f.Kind), Level: level(f.Kind),
			Message: f.Sentence(), File: at.File, Line: at.Line,
		})
	}
	for _, n := range r.Notes {
		out.Findings = append(out.Findings, ciformat.Finding{Title: "network", Message: n})
	}
	return out
}

// level returns the severity of a kind.
func level(k diffreport.Kind) ciformat.Level {
	if k == diffreport.Opened || k == diffreport.Closed {
		return ciformat.Warning
	}
	return ciformat.Note
}

// located returns the first reason in the new state, whose files the reader sees. A
// reason in the old state only has a file, but no line.
func located(r *diffreport.Report, f *diffreport.Finding) (at ir.Origin) {
	for _, reason := range f.Reasons {
		switch o := reason.Origin; {
		case o.File == "":
		case !reason.Old:
			return o
		case at.File == "":
			at.File = o.File
			if r.OldRevision != "" {
				at.File = strings.TrimPrefix(o.File, r.OldRevision+":")
			}
		}
	}
	return at
}

func meanings() map[diffreport.Kind]string {
	return map[diffreport.Kind]string{
		diffreport.Opened:    "Something can be reached that could not be before",
		diffreport.Closed:    "Something can no longer be reached",
		diffreport.Source:    "Endpoints see another source address than before",
		diffreport.Refusal:   "What cannot be reached answers in another way",
		diffreport.Endpoints: "A Service has other endpoints than before",
		diffreport.Addresses: "A Service gets, loses or changes an address of a pool",
		diffreport.Affinity:  "Clients stay with their endpoint for another time",
		diffreport.Added:     "A workload or Service is new",
		diffreport.Removed:   "A workload is gone",
	}
}
