package escape

import (
	"regexp"
	"strings"

	"github.com/planec/planec/ir/diag"
)

// apart is a zero-width space. GitHub looks for mentions, references and addresses
// in rendered Markdown, so entities and backslashes do not hide them.
const apart = "&#8203;"

// reads are patterns in plain text that GitHub turns into links and the like.
// Each is split after its first group.
var reads = []*regexp.Regexp{
	regexp.MustCompile(`(@)`),                        // a person, a team, an address
	regexp.MustCompile(`(#)[0-9]`),                   // an issue
	regexp.MustCompile(`((?i)\bgh-)[0-9]`),           // an issue
	regexp.MustCompile(`(:)//?`),                     // a link
	regexp.MustCompile(`((?i)www)\.`),                // a link
	regexp.MustCompile(`((?i)mailto:|xmpp:)`),        // a link
	regexp.MustCompile(`(:)[a-zA-Z0-9_+-]+:`),        // an emoji
	regexp.MustCompile(`(\$)[^\s]`),                  // a formula
	regexp.MustCompile(`^([0-9]+)[.)](?:\s|$)`),      // an item of a list
	regexp.MustCompile(`^([-+=])`),                   // an item, or a line under a heading
	regexp.MustCompile(`(\b[0-9a-f])[0-9a-f]{39}\b`), // a commit
}

// Markdown escapes text so that Markdown and GitHub show it literally: no markup, no
// HTML, no mention of a person or an issue, no link, no image, no new table cell.
func Markdown(s string) string {
	s = diag.Printable(s)
	breaks := make(map[int]bool)
	for _, r := range reads {
		for _, at := range r.FindAllStringSubmatchIndex(s, -1) {
			breaks[at[3]] = true
		}
	}
	var b strings.Builder
	prev := rune(' ')
	for i, r := range s {
		if breaks[i] {
			b.WriteString(apart)
		}
		switch {
		case r == '>' && prev == '-':
			b.WriteRune(r)
		case r == '@':
			b.WriteString("&#64;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*[]|~!$#", r), r == '_' && (!wordRune(prev) || !nextIsWord(s[i+1:])):
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
		prev = r
	}
	if breaks[len(s)] {
		b.WriteString(apart)
	}
	return b.String()
}

func nextIsWord(rest string) bool { return rest != "" && wordRune(rune(rest[0])) }

func wordRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
