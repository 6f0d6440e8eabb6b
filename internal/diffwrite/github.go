package diffwrite

import (
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/internal/diffreport"
	"github.com/planec/planec/internal/escape"
	"github.com/planec/planec/ir"
)

// github are workflow commands: GitHub shows each beside the line of the manifest.
func github(w io.Writer, r *diffreport.Report) error {
	var b strings.Builder
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(&b, "::%s %stitle=%s::%s\n", annotation(f.Kind), place(f), escape.GitHubProperty("network: "+string(f.Kind)), escape.GitHubData(f.Sentence()))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "::notice title=network::%s\n", escape.GitHubData(n))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// annotation is how loudly a finding is shown.
func annotation(k diffreport.Kind) string {
	if k == diffreport.Opened || k == diffreport.Closed {
		return "warning"
	}
	return "notice"
}

func place(f *diffreport.Finding) string {
	o, ok := located(f)
	if !ok {
		return ""
	}
	if o.Line > 0 {
		return fmt.Sprintf("file=%s,line=%d,", escape.GitHubProperty(o.File), o.Line)
	}
	return fmt.Sprintf("file=%s,", escape.GitHubProperty(o.File))
}

// located is the first reason that is in the new state, whose files the reader
// sees.
func located(f *diffreport.Finding) (ir.Origin, bool) {
	for _, r := range f.Reasons {
		if !r.Old && r.Origin.File != "" {
			return r.Origin, true
		}
	}
	return ir.Origin{}, false
}
