package cli_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	docLink  = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	docTitle = regexp.MustCompile(`^#{1,6} +(.*)$`)
	docImage = regexp.MustCompile(`(?:src|srcset)="([^"]+)"`)
)

// TestDocumentLinks wants the relative links and pictures of all documents to lead to
// files that there are, and to headings that these have.
func TestDocumentLinks(t *testing.T) {
	headings := make(map[string]map[string]bool)
	for _, file := range documents(t) {
		text := prose(docText(t, file))
		links := append(docLink.FindAllStringSubmatch(text, -1), docImage.FindAllStringSubmatch(text, -1)...)
		for _, m := range links {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			to := file
			if target != "" {
				to = path.Join(path.Dir(file), target)
			}
			if _, err := os.Stat(filepath.Join(topOfRepository, to)); err != nil {
				t.Errorf("%s links to %s, which is not there", file, m[1])
				continue
			}
			if anchor == "" || !strings.HasSuffix(to, ".md") {
				continue
			}
			if headings[to] == nil {
				headings[to] = anchors(docText(t, to))
			}
			if !headings[to][anchor] {
				t.Errorf("%s links to %s, and %s has no such heading", file, m[1], to)
			}
		}
	}
}

// prose leaves out pieces of code, in which brackets are no links.
func prose(text string) string {
	lines := strings.Split(text, "\n")
	for _, b := range blocks(text) {
		for i := range b.lines {
			lines[b.line-1+i] = ""
		}
	}
	return strings.Join(lines, "\n")
}

// anchors returns the names by which GitHub links to the headings of a document.
func anchors(text string) map[string]bool {
	out := make(map[string]bool)
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for l := range strings.Lines(prose(text)) {
		if m := docTitle.FindStringSubmatch(strings.TrimSpace(l)); m != nil {
			out[strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
		}
	}
	return out
}

// TestDocumentIndex wants docs/README.md to link to every document below docs.
func TestDocumentIndex(t *testing.T) {
	index := docText(t, "docs/README.md")
	for _, file := range documents(t) {
		name, below := strings.CutPrefix(file, "docs/")
		if below && name != "README.md" && !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/README.md does not link to %s", file)
		}
	}
}
