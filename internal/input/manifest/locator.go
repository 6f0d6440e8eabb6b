package manifest

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/ir"
)

// Locator finds the lines of fields in the files of loaded objects, by reading
// the files again, so it should only be used for printed diagnostics. It is
// fast for origins in the order of a sorted [diag.List], because it reads
// forward. It is not safe for concurrent use.
type Locator struct {
	// Base is the directory that file names omit, as in [Options].
	Base string

	name string
	file io.Closer
	w    *window
	// object is the text that starts at line at, and isYAML its format.
	object []byte
	at     int
	isYAML bool
	// root is the object's YAML, or nil if it cannot be parsed. An object often has
	// many diagnostics, so it is parsed once, and the parts on the paths are
	// indexed once.
	root   *yaml.Node
	fields map[*yaml.Node]map[string]int
	values map[*byte]*jsonIndex
}

// Close closes the last file.
func (l *Locator) Close() {
	if l.file != nil {
		l.file.Close() // it was only read
	}
	*l = Locator{Base: l.Base}
}

// Locate returns the origin with the line of the field in its Path, or of the
// innermost object around it in the file. If that is impossible (no file, no
// path, a changed file, standard input), it returns the origin unchanged.
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

// find makes the object at the origin's line current.
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
	l.object, l.root = nil, nil
	l.fields, l.values = make(map[*yaml.Node]map[string]int), make(map[*byte]*jsonIndex)
	if l.read(); l.object != nil && l.isYAML {
		if nodes, err := yamlNodes(l.object); err == nil && len(nodes) == 1 && nodes[0].Kind == yaml.MappingNode {
			l.root = nodes[0]
		}
	}
	return l.object != nil
}

func (l *Locator) reopen(name string) bool {
	l.Close()
	path := name
	if l.Base != "" && filepath.IsLocal(filepath.FromSlash(name)) {
		path = filepath.Join(l.Base, filepath.FromSlash(name))
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	l.name, l.file, l.w = name, f, newWindow(f)
	return true
}

// read takes the object on the current line.
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

// readYAML takes the lines that are not to the left of the object's first field.
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
	if l.root == nil {
		return 0
	}
	n := l.root
	if _, meta := l.yamlField(n, "metadata"); o.Name != "" {
		if meta == nil {
			return 0
		}
		if _, name := l.yamlField(meta, "name"); name == nil || name.Value != o.Name {
			return 0
		}
	}
	line := n.Line
	for _, s := range steps {
		at := 0
		if s.isIndex && n.Kind == yaml.SequenceNode && s.index < len(n.Content) {
			at = n.Content[s.index].Line
			n = resolveAlias(n.Content[s.index])
		} else if key, value := l.yamlField(n, s.name); key != nil && !s.isIndex {
			at, n = key.Line, value
		}
		if at == 0 || n == nil {
			break
		}
		line = at
	}
	return l.at + line - 1
}

// yamlField returns the key and the value of a field of a mapping, or nil.
func (l *Locator) yamlField(n *yaml.Node, name string) (key, value *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return nil, nil
	}
	index := l.fields[n]
	if index == nil {
		index = make(map[string]int, len(n.Content)/2)
		for i := len(n.Content) - 2; i >= 0; i -= 2 { // the first of two equal fields wins
			if n.Content[i].Kind == yaml.ScalarNode {
				index[n.Content[i].Value] = i
			}
		}
		l.fields[n] = index
	}
	i, there := index[name]
	if !there {
		return nil, nil
	}
	return n.Content[i], resolveAlias(n.Content[i+1])
}

func (l *Locator) jsonLine(o ir.Origin, steps []pathStep) int {
	if _, name := l.jsonStep(l.object, l.at, pathStep{name: "metadata"}); o.Name != "" {
		if _, name = l.jsonStep(name, l.at, pathStep{name: "name"}); jsonString(name) != o.Name {
			return 0
		}
	}
	line, text := l.at, l.object
	for _, s := range steps {
		at, next := l.jsonStep(text, line, s)
		if next == nil {
			break
		}
		line, text = at, next
	}
	return line
}

// jsonIndex holds the parts of one JSON object or array.
type jsonIndex struct {
	fields map[string]jsonPart
	items  []jsonPart
}

// jsonPart is a value with its line.
type jsonPart struct {
	line int
	text []byte
}

// jsonStep returns the value of one field or item of the value in the text, and
// its line; nil means that there is none.
func (l *Locator) jsonStep(text []byte, line int, s pathStep) (at int, value []byte) {
	if len(text) == 0 || (text[0] != '{' && text[0] != '[') {
		return 0, nil
	}
	index := l.values[&text[0]]
	if index == nil {
		index = indexJSON(text, line)
		l.values[&text[0]] = index
	}
	var part jsonPart
	if s.isIndex && s.index < len(index.items) {
		part = index.items[s.index]
	} else if !s.isIndex {
		part = index.fields[s.name]
	}
	return part.line, part.text
}

// indexJSON indexes one level of a valid text.
func indexJSON(text []byte, line int) *jsonIndex {
	index := &jsonIndex{}
	if text[0] == '[' {
		_ = eachItem(text, line, func(at int, v []byte) { index.items = append(index.items, jsonPart{at, v}) })
		return index
	}
	index.fields = make(map[string]jsonPart)
	_ = eachField(text, line, func(name string, at int, v []byte) { index.fields[name] = jsonPart{at, v} })
	return index
}
