package manifest

import (
	"bytes"
	"strings"
)

// Nearly all of a dump is YAML as kubectl prints it: block mappings and lists of one-line
// values. This file writes such a text as JSON without a tree of nodes, several times as fast
// as the library parses it. It knows no more of YAML than that, and refuses what it does not
// know, or what it would have to think about: the library then reads the text.

// plainJSON returns what [nodeJSON] gives for the only value of a text; for the text of an item,
// which is a list of one, for that one. It returns false for a text that it does not know.
// Fields that stand twice are written twice.
func plainJSON(text []byte, item bool) ([]byte, bool) {
	p := plain{text: text, out: make([]byte, 0, len(text)+len(text)/4)}
	p.next()
	switch {
	case p.ended || p.failed:
		return nil, false
	case item:
		p.onlyEntry()
	default:
		p.mapping(0)
	}
	if p.failed || !p.ended || p.nodes > maxNodes || len(p.out) > maxObject {
		return nil, false
	}
	return p.out, true
}

// plain reads a text line by line.
type plain struct {
	text []byte // what follows the current line
	out  []byte // the JSON so far
	// line is the current line, or what is left of it, from the column indent on. It has no
	// spaces at its ends.
	line   []byte
	indent int
	ended  bool
	failed bool
	// unfinished is set where the text's last line has no end.
	unfinished bool
	nodes      int
}

func (p *plain) fail() { p.failed, p.ended = true, true }

// next goes to the next line that is neither empty nor a comment.
func (p *plain) next() {
	for len(p.text) > 0 {
		line := p.take()
		content := bytes.TrimLeft(line, " ")
		if len(content) == 0 {
			continue
		}
		p.line, p.indent = content, len(line)-len(content)
		switch comment := content[0] == '#'; {
		case !isPlainText(content) || p.indent == 0 && isMarker(content) || !comment && content[len(content)-1] == ' ':
			p.fail()
			return
		case !comment:
			return
		}
	}
	p.line, p.ended = nil, true
}

// take takes one line of the text, without its end.
func (p *plain) take() []byte {
	line := p.text
	if end := bytes.IndexByte(p.text, '\n'); end >= 0 {
		line, p.text = p.text[:end], p.text[end+1:]
		return line
	}
	p.text, p.unfinished = nil, true
	return line
}

// isPlainText reports whether all characters are printable ones of ASCII.
func isPlainText(line []byte) bool {
	for _, c := range line {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// isMarker reports whether a line in the first column may end the document, or is a directive.
func isMarker(line []byte) bool {
	return line[0] == '%' || bytes.HasPrefix(line, []byte("---")) || bytes.HasPrefix(line, []byte("..."))
}

// isEntryLine reports whether the line is an entry of a list, with its value.
func (p *plain) isEntryLine() bool { return len(p.line) > 2 && p.line[0] == '-' && p.line[1] == ' ' }

// onlyEntry writes the value of the only entry of a list.
func (p *plain) onlyEntry() {
	if !p.isEntryLine() {
		p.fail()
		return
	}
	column := p.indent
	p.entry(1)
	if !p.ended && p.indent >= column {
		p.fail() // a second one, or something odd
	}
}

// list writes the entries in a column.
func (p *plain) list(depth int) {
	column := p.indent
	p.count(depth)
	p.out = append(p.out, '[')
	for first := true; !p.ended && p.indent == column && p.isEntryLine(); first = false {
		if !first {
			p.out = append(p.out, ',')
		}
		p.entry(depth + 1)
	}
	p.out = append(p.out, ']')
	if !p.ended && p.indent > column {
		p.fail()
	}
}

// entry writes the value of an entry: a mapping that begins in its line, or a value of one line.
func (p *plain) entry(depth int) {
	content := bytes.TrimLeft(p.line[1:], " ")
	column := p.indent
	p.indent += len(p.line) - len(content)
	p.line = content
	if end := keyEnd(content); end > 0 {
		p.mapping(depth)
		return
	}
	p.value(content, column, depth)
}

// mapping writes the fields in a column.
func (p *plain) mapping(depth int) {
	column := p.indent
	p.count(depth)
	p.out = append(p.out, '{')
	for first := true; !p.ended && p.indent == column; first = false {
		end := keyEnd(p.line)
		if end == 0 {
			break
		}
		if !first {
			p.out = append(p.out, ',')
		}
		p.out = append(p.out, '"')
		p.out = append(p.out, p.line[:end]...)
		p.out = append(p.out, '"', ':')
		if rest := bytes.TrimLeft(p.line[end+1:], " "); len(rest) > 0 {
			p.value(rest, column, depth+1)
		} else {
			p.next()
			p.below(column, depth+1)
		}
	}
	p.out = append(p.out, '}')
	if !p.ended && p.indent >= column {
		p.fail()
	}
}

// below writes the value of a field that is not in the line of its key, in the given column.
func (p *plain) below(column, depth int) {
	switch {
	case !p.ended && p.indent >= column && p.isEntryLine():
		p.list(depth)
	case !p.ended && p.indent > column && keyEnd(p.line) > 0:
		p.mapping(depth)
	case p.ended || p.indent <= column:
		p.count(depth)
		p.out = append(p.out, "null"...)
	default:
		p.fail()
	}
}

// value writes the value in the rest of a line, whose key or entry is in the given column.
func (p *plain) value(text []byte, column, depth int) {
	p.count(depth)
	switch first := text[0]; {
	case first == '|':
		p.literal(text, column)
		return
	case first == '"' || first == '\'':
		p.quoted(text)
	case string(text) == "{}" || string(text) == "[]":
		p.out = append(p.out, text...)
	default:
		p.scalar(text)
	}
	// What is further to the right would belong to the value.
	if p.next(); !p.ended && p.indent > column {
		p.fail()
	}
}

func (p *plain) count(depth int) {
	if p.nodes++; depth >= maxDepth {
		p.fail()
	}
}

// quoted writes a value in quotes that has nothing to unquote.
func (p *plain) quoted(text []byte) {
	inner := text[1:]
	end := bytes.IndexByte(inner, text[0])
	if end < 0 || end != len(inner)-1 || text[0] == '"' && bytes.IndexByte(inner, '\\') >= 0 {
		p.fail()
		return
	}
	p.string(inner[:end])
}

// string writes printable characters of ASCII as a JSON string.
func (p *plain) string(text []byte) {
	if bytes.ContainsAny(text, `"\`) {
		p.out = appendJSONString(p.out, string(text))
		return
	}
	p.out = append(p.out, '"')
	p.out = append(p.out, text...)
	p.out = append(p.out, '"')
}

// literal writes the lines below "|" or "|-", which are further to the right than the column.
func (p *plain) literal(text []byte, column int) {
	var lines []string
	indent := 0
	for len(p.text) > 0 {
		before := p.text
		line := p.take()
		content := bytes.TrimLeft(line, " ")
		if indent == 0 {
			indent = len(line) - len(content)
		}
		if len(content) > 0 && len(line)-len(content) <= column {
			p.text = before
			break
		}
		if len(content) == 0 || indent <= column || len(line)-len(content) < indent || !isPlainText(content) {
			p.fail()
			return
		}
		lines = append(lines, string(line[indent:]))
	}
	value := strings.Join(lines, "\n")
	switch {
	case len(lines) == 0:
		p.fail()
		return
	case string(text) == "|" && !p.unfinished:
		value += "\n"
	case string(text) != "|-":
		p.fail()
		return
	}
	p.out = appendJSONString(p.out, value)
	p.next()
}
