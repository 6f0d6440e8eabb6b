package manifest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Repeated fields are searched before an object is decoded, also in skipped
// objects: kubectl's decoder takes the last one, so a repeated kind would be one
// kind for a reader and another for the cluster.

// ambiguous are the fields that determine the type of an object. Case-insensitive
// decoders such as encoding/json accept other spellings of them.
var ambiguous = []string{"kind", "apiVersion", "items"}

// misspelt returns the field for which the name may be taken, or "".
func misspelt(name string) string {
	for _, field := range ambiguous {
		if name != field && strings.EqualFold(name, field) {
			return field
		}
	}
	return ""
}

func twiceText(name string) string {
	text := "a field stands twice: " + bounded(name)
	if name == "apiVersion" { // as in files that were concatenated
		text += "; in YAML a line --- separates two objects"
	}
	return text
}

func misspeltText(name, field string) string {
	return fmt.Sprintf("the field %s is %s to readers that ignore the case of letters, and nothing to others: write it as %s", bounded(name), field, field)
}

// jsonProblem returns the ambiguity in a valid JSON text, with its line from 1, or
// nil, and reports whether it has fields outside of the schema. It runs for every
// object, so it makes no strings.
func jsonProblem(text []byte, of *schema) (problem *lineError, unknown bool) {
	// Few objects have more open names at a time.
	var room [32][]byte
	s := fieldScan{text: text, names: room[:0]}
	s.value(0, of)
	if s.problem == "" {
		return nil, s.unknown
	}
	return &lineError{1 + bytes.Count(text[:s.at], newline), s.problem}, s.unknown
}

// fieldScan walks through a valid JSON text up to its first problem. For an invalid
// text the result is arbitrary, but the scan terminates.
type fieldScan struct {
	text []byte
	at   int
	// names are the names of the open objects, innermost last.
	names   [][]byte
	problem string
	// unknown reports a field outside of its schema.
	unknown bool
}

// peek skips white space and returns the next byte, or 0 at the end.
func (s *fieldScan) peek() byte {
	for s.at < len(s.text) && isSpace(s.text[s.at]) {
		s.at++
	}
	if s.at == len(s.text) {
		return 0
	}
	return s.text[s.at]
}

// value skips a value.
func (s *fieldScan) value(depth int, of *schema) {
	switch s.peek() {
	case '{':
		s.object(depth, of)
	case '[':
		s.at++
		for item := of.item(); s.next(']'); {
			s.value(depth+1, item)
		}
	case '"':
		s.string()
	default:
		for s.at++; s.at < len(s.text); s.at++ {
			if c := s.text[s.at]; c == ',' || c == ']' || c == '}' || isSpace(c) {
				break
			}
		}
		s.at = min(s.at, len(s.text))
	}
}

// next skips a comma, and reports whether more follows before the end.
func (s *fieldScan) next(end byte) bool {
	c := s.peek()
	if c == ',' {
		s.at++
		c = s.peek()
	}
	if c == end {
		s.at++
	}
	return c != 0 && c != end && s.problem == ""
}

// string skips a string and returns the text between its quotes.
func (s *fieldScan) string() []byte {
	s.at++
	from := s.at
	if n := bytes.IndexByte(s.text[min(from, len(s.text)):], '"'); n >= 0 && bytes.IndexByte(s.text[from:from+n], '\\') < 0 {
		s.at = from + n + 1
		return s.text[from : from+n]
	}
	for s.at < len(s.text) && s.text[s.at] != '"' {
		if s.text[s.at] == '\\' {
			s.at++
		}
		s.at++
	}
	to := min(s.at, len(s.text))
	s.at = min(s.at+1, len(s.text))
	return s.text[from:to]
}

func (s *fieldScan) object(depth int, of *schema) {
	s.at++
	base := len(s.names)
	var many map[string]bool
	for s.next('}') {
		at := s.at
		name := s.string()
		if bytes.IndexByte(name, '\\') >= 0 {
			name = []byte(jsonString(s.text[at:s.at]))
		}
		twice := false
		if many == nil {
			for _, had := range s.names[base:] {
				twice = twice || bytes.Equal(had, name)
			}
		} else {
			twice = many[string(name)]
		}
		switch field := ""; {
		case twice:
			s.at, s.problem = at, twiceText(string(name))
			return
		case depth == 0:
			if field = misspelt(string(name)); field != "" {
				s.at, s.problem = at, misspeltText(string(name), field)
				return
			}
		}
		if many != nil {
			many[string(name)] = true
		} else if s.names = append(s.names, name); len(s.names)-base > 16 {
			many = make(map[string]bool, 64)
			for _, n := range s.names[base:] {
				many[string(n)] = true
			}
		}
		if s.peek() == ':' {
			s.at++
		}
		value, known := of.field(name)
		s.unknown = s.unknown || !known
		if s.value(depth+1, value); s.problem != "" {
			return
		}
	}
	s.names = s.names[:base]
}

// yamlProblem returns the ambiguity in the mapping of an object, or nil. It
// ignores names that JSON cannot have: for supported kinds they are reported
// elsewhere, and unrendered templates have many.
func yamlProblem(n *yaml.Node) *lineError {
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, err := fieldName(resolveAlias(n.Content[i]))
		if field := misspelt(name); err == nil && field != "" {
			return &lineError{n.Content[i].Line, misspeltText(name, field)}
		}
	}
	return (&twiceScan{}).mapping(n, 0)
}

// twiceScan looks for repeated fields in one document. The values of merge keys and
// aliases count towards one budget.
type twiceScan struct{ merged expansion }

// mapping checks a value of any kind and its content. The values of aliases are
// checked where they are written.
func (s *twiceScan) mapping(n *yaml.Node, depth int) *lineError {
	if depth > maxDepth {
		return nil // too deep for kubectl too; the reader reports it
	}
	seen, merges := names{}, false
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			key := resolveAlias(c)
			merge := isMergeKey(key)
			merges = merges || merge
			if name, err := fieldName(key); err == nil && !merge && !seen.add(name) {
				return &lineError{c.Line, twiceText(name)}
			}
		}
		if len(c.Content) == 0 {
			continue
		}
		if err := s.mapping(c, depth+1); err != nil {
			return err
		}
	}
	if merges && s.merged.nodes <= maxNodes {
		// A merge key may bring a field that already exists.
		var twice *lineError
		if _, err := s.merged.fields(n, nil); asTwice(err, &twice) {
			return twice
		}
	}
	return nil
}

// headerProblem is [yamlProblem] for a list without its items, because a bad
// item affects only itself.
func headerProblem(n *yaml.Node) *lineError {
	header := *n
	header.Content = slices.Clone(n.Content)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if name, err := fieldName(resolveAlias(n.Content[i])); err == nil && name == "items" {
			header.Content[i+1] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
		}
	}
	return yamlProblem(&header)
}
