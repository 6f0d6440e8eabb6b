package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/planec/planec/internal/suppress"
	"github.com/planec/planec/ir/diag"
)

// codeIssue is a finding of GitLab's Code Quality report (docs.gitlab.com, Code Quality:
// code quality report format).
type codeIssue struct {
	Description string       `json:"description"`
	CheckName   string       `json:"check_name"`
	Fingerprint string       `json:"fingerprint"`
	Severity    string       `json:"severity"`
	Location    codeLocation `json:"location"`
}

type codeLocation struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
	} `json:"lines"`
}

var codeSeverities = map[diag.Severity]string{diag.Error: "critical", diag.Warning: "major", diag.Info: "info"}

// fromHere is a file's path from the working directory, which in a pipeline is the
// repository's: GitLab takes no other.
func fromHere(file string) string {
	if filepath.IsAbs(file) {
		if here, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(here, file); err == nil && filepath.IsLocal(rel) {
				file = rel
			}
		}
	}
	return path.Clean(filepath.ToSlash(file))
}

// codeQuality is the report. GitLab compares fingerprints to tell what a merge request
// adds, so these are made of what a finding says of which object, and not of its line or
// field; of equal ones each has its number. A path is required, so what no file says is of the directory.
func codeQuality(diags diag.List) []codeIssue {
	out := make([]codeIssue, 0, len(diags))
	times := make(map[string]int)
	for _, d := range diags {
		issue := codeIssue{Description: subject(d), CheckName: string(d.Code), Severity: codeSeverities[d.Severity()]}
		issue.Location.Path = "."
		if d.Origin.File != "" && d.Origin.File != stdinName {
			issue.Location.Path = fromHere(d.Origin.File)
		}
		issue.Location.Lines.Begin = max(d.Origin.Line, 1)
		identity := strings.Join([]string{string(d.Code), issue.Location.Path, d.Origin.Object(), suppress.Stable(d.Message)}, "\x00")
		times[identity]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", identity, times[identity]))
		issue.Fingerprint = hex.EncodeToString(sum[:16])
		out = append(out, issue)
	}
	return out
}
