package cli

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// forPeople writes a result. On a terminal, the lines of the form "text" are fitted to its
// width; other forms are for programs, and nothing is fitted in a pipe.
func (s *Streams) forPeople(format string, write func(io.Writer) error) error {
	if format != "text" || s.Width <= 0 {
		return write(s.Out)
	}
	f := &fitter{out: s.Out, width: s.Width}
	return errors.Join(write(f), f.flush())
}

// fitter breaks lines that are wider than a terminal between words. What goes on in the next
// line begins below the column where the text began. A word is never broken, so
// that names can be copied.
type fitter struct {
	out   io.Writer
	width int    // columns
	line  []byte // what has no line break yet
}

// Write implements io.Writer.
func (f *fitter) Write(p []byte) (int, error) {
	f.line = append(f.line, p...)
	end := bytes.LastIndexByte(f.line, '\n')
	if end < 0 {
		return len(p), nil
	}
	var b strings.Builder
	for line := range strings.Lines(string(f.line[:end+1])) {
		b.WriteString(fitted(strings.TrimSuffix(line, "\n"), f.width))
		b.WriteByte('\n')
	}
	f.line = append(f.line[:0], f.line[end+1:]...)
	if _, err := io.WriteString(f.out, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush writes what is left.
func (f *fitter) flush() error {
	if len(f.line) == 0 {
		return nil
	}
	_, err := io.WriteString(f.out, fitted(string(f.line), f.width))
	f.line = nil
	return err
}

// fitted breaks one line.
func fitted(line string, width int) string {
	if columns(line) <= width {
		return line
	}
	indent := hang(line, width)
	var b strings.Builder
	at := 0 // columns of the line so far
	for rest := line; ; {
		spaces := len(rest) - len(strings.TrimLeft(rest, " "))
		word, _, _ := strings.Cut(rest[spaces:], " ")
		if word == "" {
			break // at the end, which may have spaces
		}
		rest = rest[spaces+len(word):]
		n := columns(word)
		if at > indent && at+spaces+n > width {
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at, spaces = indent, 0
		}
		b.WriteString(strings.Repeat(" ", spaces) + word)
		at += spaces + n
	}
	return b.String()
}

// hang is the column where the last cell of a row begins, behind two spaces in the left half;
// without cells, a little to the right of where the line begins.
func hang(line string, width int) int {
	letters := []rune(withoutColours(line))
	begin := 0
	for begin < len(letters) && letters[begin] == ' ' {
		begin++
	}
	cell := begin + 2
	for i := begin + 2; i < len(letters) && i <= width/2; i++ {
		if letters[i] != ' ' && letters[i-1] == ' ' && letters[i-2] == ' ' {
			cell = i
		}
	}
	return min(cell, width/2)
}

// columns is the width of a text without what colours it.
func columns(s string) int { return utf8.RuneCountInString(withoutColours(s)) }

// withoutColours leaves out sequences such as "\x1b[31m".
func withoutColours(s string) string {
	for {
		before, after, found := strings.Cut(s, "\x1b")
		if !found {
			return s
		}
		_, after, _ = strings.Cut(after, "m")
		s = before + after
	}
}
