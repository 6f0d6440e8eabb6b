package manifest

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// listShape recognises the only shape of a YAML list that can be cut into items
// without parsing YAML, which is the shape that kubectl prints: a key "items:"
// in the first column, and below it entries that all start with "- " in the same
// column.
//
// This is safe because a line that starts in that column, or left of it, ends every block
// scalar and plain scalar of an item. It does not end quoted scalars and flow collections,
// but an item that is cut inside one of those is invalid by itself, as is an item with an
// alias to an anchor of another item. If any item is invalid by itself, the document is
// parsed as a whole. So are documents with directives, or with line breaks that are not
// newlines.
type listShape struct {
	state  shapeState
	indent int
	// header is the document without its items.
	header []byte
	// itemsLine is the line of "items:" in header, from 1.
	itemsLine int
	// lost reports that the document does not have the shape after all.
	lost bool
}

type shapeState uint8

const (
	beforeItems shapeState = iota
	atItems
	amongItems
	afterItems
)

// place is the part of the document to which a line belongs.
type place uint8

const (
	outside place = iota
	startsItem
	insideItem
)

// inItems reports whether the document has a list of items.
func (s *listShape) inItems() bool { return s.state >= amongItems }

// next classifies the document's next line.
func (s *listShape) next(line []byte) place {
	if s.lost {
		return outside
	}
	if oddLine(line) || len(s.header) > maxObject {
		s.lost = true
		return outside
	}
	content := bytes.TrimLeft(line, " ")
	indent := len(line) - len(content)
	content = bytes.TrimRight(content, " \t\r\n")
	blank := len(content) == 0 || content[0] == '#'
	switch s.state {
	case atItems:
		if blank {
			return s.keep(line)
		}
		if !isEntry(content) {
			s.state = beforeItems
			s.lost = true
			return s.keep(line)
		}
		s.state, s.indent = amongItems, indent
		return startsItem
	case amongItems:
		return s.among(line, content, indent, blank)
	case beforeItems:
		s.keep(line)
		if string(content) == "items:" && indent == 0 {
			s.state = atItems
			s.itemsLine = bytes.Count(s.header, newline)
		}
	case afterItems:
		s.keep(line)
	}
	return outside
}

func (s *listShape) among(line, content []byte, indent int, blank bool) place {
	switch {
	case blank || indent > s.indent:
		return insideItem
	case indent == s.indent && isEntry(content):
		return startsItem
	case indent > 0:
		s.lost = true
		return outside
	}
	s.state = afterItems
	return s.keep(line)
}

func (s *listShape) keep(line []byte) place {
	s.header = append(s.header, line...)
	return outside
}

// meta returns the type of the document, and false if the document must be
// parsed as a whole to find it.
func (s *listShape) meta() (typeMeta, bool) {
	if s.lost {
		return typeMeta{}, false
	}
	nodes, err := yamlNodes(s.header)
	if err != nil || len(nodes) != 1 || nodes[0].Kind != yaml.MappingNode || nodes[0].Style&yaml.FlowStyle != 0 {
		return typeMeta{}, false
	}
	root := nodes[0]
	key, value := yamlField(root, "items")
	if key == nil || key.Line != s.itemsLine || key.Column != 1 || value.Kind != yaml.ScalarNode || value.Value != "" || value.Anchor != "" || value.Tag != "!!null" {
		return typeMeta{}, false
	}
	if _, err := nodeJSON(root, nil); err != nil {
		return typeMeta{}, false
	}
	if yamlProblem(root) != nil {
		return typeMeta{}, false
	}
	meta, _ := yamlMeta(root)
	return meta, meta.isList()
}

func isEntry(content []byte) bool {
	return content[0] == '-' && (len(content) == 1 || content[1] == ' ')
}

// oddLine reports whether cutting at the line would be wrong: it has a
// directive, a tab before its first character, or a line break of YAML 1.1 that
// is not a newline.
func oddLine(line []byte) bool {
	if len(line) > 0 && line[0] == '%' {
		return true
	}
	if line[len(line)-1] != '\n' && len(line) >= maxObject {
		return true
	}
	for i, c := range line {
		switch {
		case c == '\t' && len(bytes.TrimLeft(line[:i], " ")) == 0:
			return true
		case c == '\r' && (i+1 >= len(line) || line[i+1] != '\n'):
			return true
		case c == 0xc2 && bytes.HasPrefix(line[i:], []byte("\u0085")),
			c == 0xe2 && (bytes.HasPrefix(line[i:], []byte("\u2028")) || bytes.HasPrefix(line[i:], []byte("\u2029"))):
			return true
		case c == 0xef && bytes.HasPrefix(line[i:], []byte("\ufeff")):
			return true
		}
	}
	return false
}
