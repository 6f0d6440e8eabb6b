package report

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// changed returns the lines of a text together with the removed lines of the old
// text, marked and in their places.
func changed(old, lines []line) []line {
	before, after := textOf(old), textOf(lines)
	var out []line
	at, was := 0, 0 // the next line of each text
	// A header precedes the first hunk.
	_, hunks, _ := strings.Cut(string(diff.Diff("old", before, "new", after)), "\n@@ ")
	if hunks != "" {
		hunks = "@@ " + hunks
	}
	for _, l := range strings.Split(hunks, "\n") {
		switch {
		case strings.HasPrefix(l, "@@ "):
			// Between two hunks both texts are equal.
			start := hunkStart(l)
			for at < min(start, len(lines)) {
				out = append(out, lines[at])
				at, was = at+1, was+1
			}
		case strings.HasPrefix(l, "+") && at < len(lines):
			lines[at].Class = "new"
			out = append(out, lines[at])
			at++
		case strings.HasPrefix(l, "-") && was < len(old):
			old[was].Class = "old"
			out = append(out, old[was])
			was++
		case strings.HasPrefix(l, " ") && at < len(lines):
			out = append(out, lines[at])
			at, was = at+1, was+1
		}
	}
	return append(out, lines[at:]...)
}

// textOf joins lines; without lines there is no text.
func textOf(lines []line) []byte {
	var b bytes.Buffer
	for i := range lines {
		b.WriteString(lines[i].Text)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// hunkStart returns the place of a hunk's first line in the new text, from 0: "@@
// -1,3 +5,4 @@" is 4. For a hunk without new lines, the number is that of the line
// before it.
func hunkStart(l string) int {
	_, after, _ := strings.Cut(l, " +")
	after, _, _ = strings.Cut(after, " ")
	first, count, several := strings.Cut(after, ",")
	n, err := strconv.Atoi(first)
	if err != nil || several && count == "0" {
		return max(n, 0)
	}
	return n - 1
}
