package ciformat

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/internal/base/escape"
	"github.com/planec/planec/ir/diag"
)

// codeIssue is a finding in a GitLab Code Quality report (docs.gitlab.com, Code Quality:
// code quality report format).
type codeIssue struct {
	Description string       `json:"description"`
	CheckName   string       `json:"check_name"`
	Fingerprint string       `json:"fingerprint"`
	Severity    string       `json:"severity"`
	Location    codeLocation `json:"location"`
}

type codeLocation struct {
	Path  string    `json:"path"`
	Lines codeLines `json:"lines"`
}

type codeLines struct {
	Begin int `json:"begin"`
}

var codeSeverities = map[Level]string{Error: "critical", Warning: "major", Note: "info"}

// GitLab writes a Code Quality report. GitLab compares fingerprints to find what a merge
// request adds, so a fingerprint contains the message and the object but not the line;
// equal findings are numbered.
func GitLab(w io.Writer, r *Report) error {
	out := make([]codeIssue, 0, len(r.Findings))
	times := make(map[string]int)
	for i := range r.Findings {
		f := &r.Findings[i]
		at := r.Places.of(f.File)
		says := f.Identity
		if says == "" {
			says = f.Message
		}
		identity := strings.Join([]string{f.Rule, at, f.Object, says}, "\x00")
		times[identity]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", identity, times[identity]))
		out = append(out, codeIssue{
			Description: diag.Printable(f.Message), CheckName: f.Rule, Severity: codeSeverities[f.Level],
			Fingerprint: hex.EncodeToString(sum[:16]), Location: codeLocation{at, codeLines{max(f.Line, 1)}},
		})
	}
	return escape.JSON(w, out)
}
