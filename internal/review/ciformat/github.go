package ciformat

import (
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/internal/base/escape"
)

// githubCommands maps levels to workflow commands.
var githubCommands = map[Level]string{Note: "notice", Warning: "warning", Error: "error"}

// GitHub writes workflow commands, which GitHub shows on the lines of a pull request
// (docs.github.com: workflow commands for GitHub Actions). Findings without a file
// belong to the whole run.
func GitHub(w io.Writer, r *Report) error {
	var b strings.Builder
	for i := range r.Findings {
		f := &r.Findings[i]
		where := ""
		if f.File != "" {
			where = "file=" + escape.GitHubProperty(r.Places.of(f.File)) + ","
			if f.Line > 0 {
				where += fmt.Sprintf("line=%d,", f.Line)
			}
		}
		var lines []string
		for line := range strings.SplitSeq(f.text(), "\n") {
			lines = append(lines, escape.GitHubData(line))
		}
		fmt.Fprintf(&b, "::%s %stitle=%s::%s\n", githubCommands[f.Level], where, escape.GitHubProperty(f.Title), strings.Join(lines, "%0A"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
