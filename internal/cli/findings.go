package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/planec/planec/internal/base/escape"
	"github.com/planec/planec/internal/review/ciformat"
	"github.com/planec/planec/internal/review/suppress"
	"github.com/planec/planec/ir/diag"
)

// findingFormats are the output formats of findings, as in -o.
var findingFormats = []string{"text", "json", "github", "sarif", "junit", "gitlab"}

// writeFindings writes diagnostics in a machine-readable format; text is the printer's
// job. The paths are the input.
func writeFindings(w io.Writer, format string, diags diag.List, paths []string) error {
	found := forCI(diags, places(paths))
	var err error
	switch format {
	case "json":
		err = encode(w, jsonFindings(diags))
	case "github":
		err = ciformat.GitHub(w, found)
	case "sarif":
		err = ciformat.SARIF(w, found)
	case "junit":
		err = ciformat.JUnit(w, []ciformat.Suite{found.Cases()})
	case "gitlab":
		err = ciformat.GitLab(w, found)
	default:
		return inputError(fmt.Errorf("-o %q: want one of %s", format, strings.Join(findingFormats, ", ")))
	}
	if err != nil {
		return systemError(fmt.Errorf("writing findings: %w", err))
	}
	return nil
}

// ciLevels maps severities to levels of CI systems.
var ciLevels = map[diag.Severity]ciformat.Level{diag.Error: ciformat.Error, diag.Warning: ciformat.Warning, diag.Info: ciformat.Note}

// forCI converts diagnostics, with their codes.
func forCI(diags diag.List, at ciformat.Places) *ciformat.Report {
	r := &ciformat.Report{Name: "planec lint", Places: at}
	var codes []diag.Code
	for _, d := range diags {
		codes = append(codes, d.Code)
		f := ciformat.Finding{
			Rule: string(d.Code), Title: string(d.Code) + " " + d.Code.Info().Title, Level: ciLevels[d.Severity()],
			Message: subject(d), File: d.Origin.File, Line: d.Origin.Line, Object: d.Origin.Object(), Field: d.Origin.Path,
			Help: "hint: " + d.Hint(), Identity: suppress.Stable(d.Message),
		}
		if f.File == stdinName {
			f.File = ""
		}
		r.Findings = append(r.Findings, f)
	}
	slices.Sort(codes)
	for _, c := range slices.Compact(codes) {
		info := c.Info()
		r.Rules = append(r.Rules, ciformat.Rule{ID: string(c), Title: info.Title, Help: info.Hint, Level: ciLevels[info.Severity]})
	}
	return r
}

func encode(w io.Writer, v any) error { return escape.JSON(w, v) }

// jsonFinding is a diagnostic in planec's own JSON format.
type jsonFinding struct {
	Code      diag.Code `json:"code"`
	Severity  string    `json:"severity"`
	File      string    `json:"file,omitempty"`
	Line      int       `json:"line,omitempty"`
	Kind      string    `json:"kind,omitempty"`
	Namespace string    `json:"namespace,omitempty"`
	Name      string    `json:"name,omitempty"`
	Path      string    `json:"path,omitempty"`
	Message   string    `json:"message"`
	Hint      string    `json:"hint,omitempty"`
}

func jsonFindings(diags diag.List) []jsonFinding {
	out := make([]jsonFinding, 0, len(diags))
	for _, d := range diags {
		o := d.Origin
		out = append(out, jsonFinding{
			Code: d.Code, Severity: d.Severity().String(), File: o.File, Line: o.Line,
			Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, Path: o.Path, Message: d.Message, Hint: d.Hint(),
		})
	}
	return out
}

// subject is the object of the finding and the problem, without the place,
// for which formats have a field.
func subject(d diag.Diagnostic) string {
	about := d.Origin.Object()
	if about != "" && d.Origin.Path != "" {
		about += " " + d.Origin.Path
	}
	if about != "" {
		about += ": "
	}
	return diag.Printable(about + d.Message)
}

// stdinName is the file name for standard input.
const stdinName = "<stdin>"
