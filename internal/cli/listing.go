package cli

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/internal/review/connwrite"
	"github.com/planec/planec/ir/diag"
)

// listing is the list of who can reach whom on all ports.
type listing struct {
	filter            connectivity.Filter
	explain, exposure bool
}

func (x *listing) register(flags *pflag.FlagSet) {
	flags.BoolVar(&x.explain, "explain", false, "say which rule lets each of them through, with file and line; with --from and --to also what denies")
	flags.BoolVar(&x.exposure, "exposure", false, "also list which workloads no policy protects, and which are open to the whole cluster, to pods that the input lacks, or to outside")
	flags.StringSliceVar(&x.filter.Focus, "focus", nil, "only what reaches, or is reached by, this workload or pod: namespace/name, a network, or outside; may be repeated")
	flags.StringSliceVar(&x.filter.From, "from", nil, "only what this workload, pod or network reaches; may be repeated")
	flags.StringSliceVar(&x.filter.To, "to", nil, "only what reaches this workload, pod or network; may be repeated")
	flags.StringSliceVar(&x.filter.Namespaces, "namespace", nil, "only what reaches, or is reached by, pods of this namespace; may be repeated")
}

// given names a flag of the list that was given, or "".
func (x *listing) given() string {
	switch {
	case x.explain:
		return "--explain"
	case x.exposure:
		return "--exposure"
	case len(x.filter.Focus) > 0:
		return "--focus"
	case len(x.filter.From) > 0:
		return "--from"
	case len(x.filter.To) > 0:
		return "--to"
	case len(x.filter.Namespaces) > 0:
		return "--namespace"
	}
	return ""
}

var listWriters = map[string]func(io.Writer, *connectivity.Map, *connwrite.Options) error{
	"text": connwrite.Text, "md": connwrite.Markdown, "csv": connwrite.CSV, "json": connwrite.JSON,
	"dot": connwrite.DOT, "svg": connwrite.SVG, "html": connwrite.HTML,
}

// write reads who can reach whom and writes it. Forms without a place for notes have those
// that bound the list on notes.
func (x *listing) write(w, notes io.Writer, l *loaded, format string) error {
	l.streams.progress.step("working out who can reach whom")
	defer l.streams.progress.end()
	all := connectivity.Of(&l.objects, l.cluster, nil)
	m, err := all.Select(x.filter)
	if err != nil {
		return inputError(err)
	}
	var locator manifest.Locator
	defer locator.Close()
	o := &connwrite.Options{Explain: x.explain, Locate: func(list []connectivity.Cause) { locateCauses(&locator, list) }}
	for _, e := range m.Entries {
		for i := range e.Because {
			e.Because[i].Origin = locator.Locate(e.Because[i].Origin)
		}
	}
	for _, n := range m.Nowhere {
		n.Origin = locator.Locate(n.Origin)
	}
	if x.explain {
		o.Asked = all.Denied(x.filter)
		for i := range o.Asked {
			o.Locate(o.Asked[i].Causes)
		}
	}
	if x.exposure {
		o.Exposures = all.Expose(l.state(), x.filter)
	}
	if note := idleNote(l.cluster); note != "" {
		o.Notes = append(o.Notes, note)
	}
	if len(m.Ends) == 0 {
		o.Notes = append(o.Notes, noPods(l))
	}
	l.streams.progress.end()
	if format == "csv" || format == "dot" || format == "svg" {
		beside := connwrite.Bounds(m)
		for _, n := range m.Nowhere {
			beside = append(beside, n.String())
		}
		for _, n := range beside {
			if _, err := fmt.Fprintf(notes, "note: %s\n", diag.Printable(n)); err != nil {
				return systemError(err)
			}
		}
	}
	return written(listWriters[format](w, m, o))
}

// noPods says why the list has no workload.
func noPods(l *loaded) string {
	if l.synth {
		return "the input has neither pods nor workloads"
	}
	return "the input has no pods; --synth makes those of its workloads"
}

// locateCauses adds the line of the field to places for which only the line of the object is
// known.
func locateCauses(locator *manifest.Locator, list []connectivity.Cause) {
	for i := range list {
		if r := list[i].Rule; r != nil {
			at := locator.Locate(*r)
			list[i].Rule = &at
		}
	}
}
