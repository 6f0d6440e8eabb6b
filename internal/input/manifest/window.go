package manifest

import (
	"bytes"
	"io"
	"io/fs"
)

// windowSize is the initial size of the buffer and of each read, in bytes; that of a
// smaller file is enough for it.
const windowSize = 256 << 10

// window is the examined part of a stream: buf[pos:end]. It grows only while
// the caller looks ahead without taking anything, so its memory is that of
// the largest single object, not of the file.
type window struct {
	src      io.Reader
	buf      []byte
	pos, end int
	// line is the line of buf[pos], counting from 1.
	line int
	eof  bool
	err  error
}

func newWindow(src io.Reader) *window {
	size := int64(windowSize)
	if f, ok := src.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = min(size, info.Size()+1) // one more byte is room to see the end
		}
	}
	return &window{src: src, buf: make([]byte, size), line: 1}
}

// textWindow returns a window on a complete text in memory.
func textWindow(text []byte, line int) *window {
	return &window{buf: text, end: len(text), line: line, eof: true}
}

// rest is the known part of the stream after the current position.
func (w *window) rest() []byte { return w.buf[w.pos:w.end] }

// more reads on and reports whether rest has grown.
func (w *window) more() bool {
	if w.eof || w.err != nil {
		return false
	}
	if w.end == len(w.buf) {
		w.makeRoom()
	}
	for range 100 {
		n, err := w.src.Read(w.buf[w.end:])
		w.end += n
		if err == io.EOF {
			w.eof = true
		} else if err != nil {
			w.err = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	w.err = io.ErrNoProgress
	return false
}

func (w *window) makeRoom() {
	kept := w.rest()
	into := w.buf
	if len(kept) > len(w.buf)/2 {
		into = make([]byte, 2*len(w.buf))
	}
	w.end = copy(into, kept)
	w.pos, w.buf = 0, into
}

// peek returns the byte at offset i; false means the end of the stream.
func (w *window) peek(i int) (byte, bool) {
	for w.pos+i >= w.end {
		if !w.more() {
			return 0, false
		}
	}
	return w.buf[w.pos+i], true
}

// take skips the next n bytes, which rest must contain, and returns them.
// They are valid until the window moves on.
func (w *window) take(n int) []byte {
	text := w.buf[w.pos : w.pos+n]
	w.line += bytes.Count(text, newline)
	w.pos += n
	return text
}

var newline = []byte{'\n'}

// nextLine returns the next line with its newline, without taking it, or at most
// limit bytes of it. Without a newline, the result is the start of a line that
// is too long, or the end of the stream; nil means that the stream has ended.
func (w *window) nextLine(limit int) []byte {
	from := 0
	for {
		rest := w.rest()
		if i := bytes.IndexByte(rest[from:], '\n'); i >= 0 {
			return rest[:min(from+i+1, limit)]
		}
		if len(rest) >= limit {
			return rest[:limit]
		}
		from = len(rest)
		if !w.more() {
			return w.rest()
		}
	}
}

// skipSpace takes JSON white space.
func (w *window) skipSpace() []byte {
	n := 0
	for {
		c, ok := w.peek(n)
		if !ok || !isSpace(c) {
			return w.take(n)
		}
		n++
	}
}

// skipBlankLines takes lines with only white space. It keeps the spaces before
// the first character of a line, which matter in YAML.
func (w *window) skipBlankLines() {
	for {
		line := w.nextLine(windowSize)
		if len(line) == 0 || len(bytes.TrimLeft(line, " \t\r\n")) > 0 {
			return
		}
		w.take(len(line))
	}
}

// firstCharacter returns the first byte that is not white space, and the
// number of bytes before it.
func (w *window) firstCharacter() (c byte, n int, ok bool) {
	for {
		c, ok := w.peek(n)
		if !ok || !isSpace(c) {
			return c, n, ok
		}
		n++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
