package manifest

import (
	"bytes"
	"encoding/json"
	"io"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/ir"
)

// Locator finds the lines of fields in the files that objects were loaded from,
// by reading them again: only diagnostics that are printed are worth it. It is
// fast for origins in the order of a sorted [diag.List], since it reads on from
// where it is. A Locator is not safe for concurrent use.
type Locator struct {
	name string
	file io.Closer
	w    *window
	// object is the text that starts at line at, and isYAML its format.
	object []byte
	at     int
	isYAML bool
}

// Close closes the file that was read last.
func (l *Locator) Close() {
	if l.file != nil {
		l.file.Close() // it was only read
	}
	*l = Locator{}
}

// Locate returns the origin with the line of the field that its Path names, or
// of the innermost object around it that is in the file. Whatever is in the way
// (no file, no path, a file that has changed, standard input) leaves the origin
// as it is.
func (l *Locator) Locate(o ir.Origin) ir.Origin {
	steps := parsePath(o.Path)
	if o.File == "" || o.Line <= 0 || len(steps) == 0 || !l.find(o) {
		return o
	}
	var line int
	if l.isYAML {
		line = l.yamlLine(o, steps)
	} else {
		line = l.jsonLine(o, steps)
	}
	if line > 0 {
		o.Line = line
	}
	return o
}

// find makes the object at the origin's line the current one.
func (l *Locator) find(o ir.Origin) bool {
	if o.File == l.name && o.Line == l.at {
		return l.object != nil
	}
	if o.File != l.name || l.w == nil || l.w.line > o.Line {
		if !l.reopen(o.File) {
			return false
		}
	}
	for l.w.line < o.Line {
		part := l.w.nextLine(windowSize)
		if len(part) == 0 {
			return false
		}
		l.w.take(len(part))
	}
	l.at = o.Line
	l.object = nil
	l.read()
	return l.object != nil
}

func (l *Locator) reopen(name string) bool {
	l.Close()
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	l.name, l.file, l.w = name, f, newWindow(f)
	return true
}

// read takes the object that starts on the current line.
func (l *Locator) read() {
	line := l.w.nextLine(maxObject)
	content := bytes.TrimLeft(line, " \t\ufeff")
	if brace := bytes.IndexByte(line, '{'); brace >= 0 && len(content) > 0 && bytes.IndexByte([]byte("{}[],\""), content[0]) >= 0 {
		l.w.take(brace)
		text, err := l.w.scanValue()
		if err == nil && json.Valid(text) {
			l.object, l.isYAML = bytes.Clone(text), false
		}
		return
	}
	l.readYAML(line)
}

// readYAML takes the lines that are not left of the object's first field.
func (l *Locator) readYAML(line []byte) {
	first := bytes.Clone(line)
	column := len(first) - len(bytes.TrimLeft(first, " "))
	if rest := first[column:]; len(rest) > 1 && rest[0] == '-' && rest[1] == ' ' {
		first[column] = ' '
		column = len(first) - len(bytes.TrimLeft(first, " "))
	}
	l.w.take(len(line))
	text := first
	for len(text) <= maxObject {
		line := l.w.nextLine(maxObject)
		content := bytes.TrimLeft(line, " ")
		blank := len(bytes.TrimSpace(content)) == 0 || content[0] == '#'
		if len(line) == 0 || isSeparator(line) || (!blank && len(line)-len(content) < column) {
			l.object, l.isYAML = text, true
			return
		}
		text = append(text, l.w.take(len(line))...)
	}
}

func (l *Locator) yamlLine(o ir.Origin, steps []pathStep) int {
	nodes, err := yamlNodes(l.object)
	if err != nil || len(nodes) != 1 || nodes[0].Kind != yaml.MappingNode {
		return 0
	}
	n := nodes[0]
	if _, meta := yamlField(n, "metadata"); o.Name != "" {
		if meta == nil {
			return 0
		}
		if _, name := yamlField(meta, "name"); name == nil || name.Value != o.Name {
			return 0
		}
	}
	line := n.Line
	for _, s := range steps {
		at := 0
		if s.isIndex && n.Kind == yaml.SequenceNode && s.index < len(n.Content) {
			at = n.Content[s.index].Line
			n = resolveAlias(n.Content[s.index])
		} else if key, value := yamlField(n, s.name); key != nil && !s.isIndex && n.Kind == yaml.MappingNode {
			at, n = key.Line, value
		}
		if at == 0 || n == nil {
			break
		}
		line = at
	}
	return l.at + line - 1
}

func (l *Locator) jsonLine(o ir.Origin, steps []pathStep) int {
	if _, name := jsonStep(l.object, 1, pathStep{name: "metadata"}); o.Name != "" {
		if _, name = jsonStep(name, 1, pathStep{name: "name"}); jsonString(name) != o.Name {
			return 0
		}
	}
	line, text := l.at, l.object
	for _, s := range steps {
		at, next := jsonStep(text, line, s)
		if next == nil {
			break
		}
		line, text = at, next
	}
	return line
}

// jsonStep returns the value of one field or item of the value in the text, and
// the line it starts on; nil means there is none.
func jsonStep(text []byte, line int, s pathStep) (at int, value []byte) {
	if len(text) == 0 {
		return 0, nil
	}
	switch {
	case s.isIndex && text[0] == '[':
		i := 0
		_ = eachItem(text, line, func(l int, v []byte) { // the text is valid
			if i == s.index {
				at, value = l, v
			}
			i++
		})
	case !s.isIndex && text[0] == '{':
		_ = eachField(text, line, func(name string, l int, v []byte) { // the text is valid
			if name == s.name {
				at, value = l, v
			}
		})
	}
	return at, value
}
