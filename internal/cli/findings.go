package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/internal/escape"
	"github.com/planec/planec/ir/diag"
)

// findingFormats are the ways in which findings can be written, by what -o says.
var findingFormats = []string{"text", "json", "github", "sarif", "junit", "gitlab"}

// writeFindings writes diagnostics for a machine; text is the printer's job.
func writeFindings(w io.Writer, format string, diags diag.List) error {
	var err error
	switch format {
	case "json":
		err = encode(w, jsonFindings(diags))
	case "github":
		err = githubFindings(w, diags)
	case "sarif":
		err = encode(w, sarifLog(diags))
	case "junit":
		err = junitFindings(w, diags)
	case "gitlab":
		err = encode(w, codeQuality(diags))
	default:
		return inputError(fmt.Errorf("-o %q: want one of %s", format, strings.Join(findingFormats, ", ")))
	}
	if err != nil {
		return systemError(fmt.Errorf("writing findings: %w", err))
	}
	return nil
}

func encode(w io.Writer, v any) error { return escape.JSON(w, v) }

// jsonFinding is a diagnostic as planec's own JSON has it.
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

// subject is what the finding is about and what is wrong with it, without the
// place, which formats have a field for.
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

// githubFindings writes workflow commands, which GitHub shows on the lines of a
// pull request (docs.github.com: workflow commands for GitHub Actions).
func githubFindings(w io.Writer, diags diag.List) error {
	commands := map[diag.Severity]string{diag.Error: "error", diag.Warning: "warning", diag.Info: "notice"}
	for _, d := range diags {
		where := ""
		if d.Origin.File != "" && d.Origin.File != stdinName {
			where = "file=" + escape.GitHubProperty(d.Origin.File) + ","
			if d.Origin.Line > 0 {
				where += fmt.Sprintf("line=%d,", d.Origin.Line)
			}
		}
		title := escape.GitHubProperty(string(d.Code) + " " + d.Code.Info().Title)
		if _, err := fmt.Fprintf(w, "::%s %stitle=%s::%s\n", commands[d.Severity()], where, title, escape.GitHubData(subject(d))); err != nil {
			return err
		}
	}
	return nil
}

// stdinName is the file name of what was read from standard input.
const stdinName = "<stdin>"
