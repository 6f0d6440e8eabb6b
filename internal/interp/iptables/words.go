package iptables

import (
	"fmt"
	"strings"
)

// maxLine bounds a line.
const maxLine = 8192

// splitWords splits a line as iptables-restore does: at spaces, with quotes, in
// which a backslash takes the next character as it is.
func splitWords(line string) ([]string, error) {
	if len(line) > maxLine {
		return nil, fmt.Errorf("longer than %d bytes", maxLine)
	}
	var out []string
	var word strings.Builder
	quoted, inWord := false, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quoted && c == '\\' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
		case c == '"':
			quoted, inWord = !quoted, true
		case (c == ' ' || c == '\t') && !quoted:
			if inWord {
				out = append(out, word.String())
				word.Reset()
				inWord = false
			}
		default:
			inWord = true
			word.WriteByte(c)
		}
	}
	if quoted {
		return nil, fmt.Errorf("a quote is not closed")
	}
	if inWord {
		out = append(out, word.String())
	}
	return out, nil
}

// reader reads words one after the other; the first error stays.
type reader struct {
	list []string
	at   int
	err  error
}

func (r *reader) done() bool { return r.at >= len(r.list) || r.err != nil }

func (r *reader) peek() string {
	if r.at >= len(r.list) {
		return ""
	}
	return r.list[r.at]
}

func (r *reader) next() string {
	if r.at >= len(r.list) {
		r.fail("a word is missing")
		return ""
	}
	r.at++
	return r.list[r.at-1]
}

func (r *reader) accept(word string) bool {
	if r.peek() != word || r.at >= len(r.list) {
		return false
	}
	r.at++
	return true
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}
