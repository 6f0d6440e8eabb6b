package escape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
	"unicode/utf16"

	"github.com/planec/planec/ir/diag"
)

// SARIF escapes the text of a message: it removes the brackets and braces that
// SARIF 2.1.0 reads as links and placeholders (3.11.5, 3.11.6).
func SARIF(s string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "{", "{{", "}", "}}").Replace(diag.Printable(s))
}

// FileURI returns a reference to a file: relative for a relative path, percent-encoded.
func FileURI(file string) string {
	file = strings.ReplaceAll(file, `\`, "/")
	if path.IsAbs(file) {
		return (&url.URL{Scheme: "file", Path: file}).String()
	}
	return (&url.URL{Path: file}).String()
}

// GitHubData escapes the text of a workflow command (actions/toolkit,
// packages/core/src/command.ts).
func GitHubData(s string) string { return strings.ReplaceAll(diag.Printable(s), "%", "%25") }

// GitHubProperty escapes the value of a property of a workflow command. It encodes
// line breaks, which the runner decodes, so a file name stays intact; it replaces
// other controls, which have no encoding.
func GitHubProperty(s string) string {
	return diag.Printable(strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s))
}

// JSON writes a value as indented JSON. It escapes characters that would move
// text on a terminal; a program reads the same string.
func JSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	// Outside strings JSON has no such characters.
	_, err := io.WriteString(w, escapeMoving(b.String()))
	return err
}

func escapeMoving(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r != '\n' && diag.Moves(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || !diag.Moves(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
