package manifest

import (
	"bytes"
	"fmt"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// splitter cuts one file into pieces.
type splitter struct {
	w    *window
	file string
	out  *pipeline
	// diags are the diagnostics about the outer structure of the file.
	diags outcome
}

func (s *splitter) report(code diag.Code, line int, message string) {
	if len(s.diags.diags) < maxDiagnostics {
		s.diags.report(code, ir.Origin{File: s.file, Line: line}, message)
	}
}

// split reads the whole file. It returns errors of reading.
func (s *splitter) split() error {
	if s.start() {
		s.documents()
	}
	if s.w.err != nil {
		return fmt.Errorf("read %s: %w", s.file, s.w.err)
	}
	return nil
}

// start checks the first bytes of the file and reports whether they can be
// text.
func (s *splitter) start() bool {
	s.w.peek(2)
	head := s.w.rest()
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		s.w.take(3)
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		s.report(diag.BadUTF8, 1, "the file is compressed with gzip; unpack it first")
		return false
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		s.report(diag.BadUTF8, 1, "the file is UTF-16; save it as UTF-8")
		return false
	}
	return true
}

// documents takes documents of either format until the end of the file.
func (s *splitter) documents() {
	for s.w.err == nil && s.out.ctx.Err() == nil {
		s.w.skipBlankLines()
		c, n, ok := s.w.firstCharacter()
		switch {
		case !ok:
			return
		case c == '{' && s.isJSON(n):
			s.w.take(n)
			if s.jsonDocument() != nil {
				s.resync()
			}
		default:
			s.yamlDocument()
		}
	}
}

// isJSON reports whether the document that starts with the brace after n bytes
// is JSON and not a flow mapping of YAML, whose names are rarely quoted.
func (s *splitter) isJSON(n int) bool {
	for i := n + 1; ; i++ {
		c, ok := s.w.peek(i)
		if !ok || i > windowSize {
			return true
		}
		if !isSpace(c) {
			return c == '"' || c == '}'
		}
	}
}

// resync skips to the probable start of the next document: a brace in the
// first column, or a YAML separator.
func (s *splitter) resync() {
	for {
		line := s.w.nextLine(windowSize)
		s.w.take(len(line))
		if len(line) == 0 {
			return
		}
		next := s.w.nextLine(windowSize)
		if line[len(line)-1] == '\n' && (bytes.HasPrefix(next, []byte("{")) || isSeparator(next)) {
			return
		}
	}
}
