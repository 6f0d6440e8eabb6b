package manifest

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A field that stands twice is looked for before anything is made of an object, or
// of one that planec skips: kubectl's decoder takes the last one, so that a kind
// that stands twice is one to a reader and another to the cluster.

// ambiguous are the fields that decide what an object is. Decoders that ignore the
// case of letters, as encoding/json does, take other spellings for them.
var ambiguous = []string{"kind", "apiVersion", "items"}

// misspelt returns which field the name may be taken for, or "".
func misspelt(name string) string {
	for _, field := range ambiguous {
		if name != field && strings.EqualFold(name, field) {
			return field
		}
	}
	return ""
}

func twiceText(name string) string { return "a field stands twice: " + bounded(name) }

func misspeltText(name, field string) string {
	return fmt.Sprintf("the field %s is %s to readers that ignore the case of letters, and nothing to others: write it as %s", bounded(name), field, field)
}

// jsonProblem returns what is ambiguous in a valid JSON text, with the number of
// lines before it, or nil.
func jsonProblem(text []byte) *lineError {
	s := fieldScan{w: textWindow(text, 1)}
	return s.value(0)
}

// fieldScan walks through a valid JSON text.
type fieldScan struct{ w *window }

func (s *fieldScan) value(depth int) *lineError {
	s.w.skipSpace()
	switch c, _ := s.w.peek(0); c {
	case '{':
		return s.object(depth)
	case '[':
		s.w.take(1)
		return s.list(depth)
	}
	_, _ = s.w.scanValue() // the text is valid
	return nil
}

// next moves over a comma, and reports whether a value follows before the end.
func (s *fieldScan) next(end byte) bool {
	s.w.skipSpace()
	c, ok := s.w.peek(0)
	if ok && c == ',' {
		s.w.take(1)
		s.w.skipSpace()
		c, ok = s.w.peek(0)
	}
	if !ok {
		return false
	}
	if c == end {
		s.w.take(1)
		return false
	}
	return true
}

func (s *fieldScan) list(depth int) *lineError {
	for s.next(']') {
		if err := s.value(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

func (s *fieldScan) object(depth int) *lineError {
	s.w.take(1)
	seen := names{}
	for s.next('}') {
		line := s.w.line
		text, err := s.w.scanValue()
		if err != nil {
			return nil // of broken JSON others tell
		}
		name := jsonString(text)
		if !seen.add(name) {
			return &lineError{line, twiceText(name)}
		}
		if field := misspelt(name); field != "" && depth == 0 {
			return &lineError{line, misspeltText(name, field)}
		}
		s.w.skipSpace()
		s.w.take(1) // the colon
		if err := s.value(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// yamlProblem returns what is ambiguous in the mapping of an object, or nil. Names
// that no JSON has are no matter of its: of a kind that is read others tell, and
// templates that are not rendered have many.
func yamlProblem(n *yaml.Node) *lineError {
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, err := fieldName(resolveAlias(n.Content[i]))
		if field := misspelt(name); err == nil && field != "" {
			return &lineError{n.Content[i].Line, misspeltText(name, field)}
		}
	}
	return yamlTwice(n, 0)
}

// yamlTwice looks for a field that stands twice at any depth. What aliases stand
// for is looked at where it is written.
func yamlTwice(n *yaml.Node, depth int) *lineError {
	if depth > maxDepth {
		return nil // too deep for kubectl too; what reads it says so
	}
	seen := names{}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			key := resolveAlias(c)
			if name, err := fieldName(key); err == nil && !isMergeKey(key) && !seen.add(name) {
				return &lineError{c.Line, twiceText(name)}
			}
		}
		if err := yamlTwice(c, depth+1); err != nil {
			return err
		}
	}
	if n.Kind == yaml.MappingNode && slices.ContainsFunc(n.Content, isMergeKey) {
		// A merge key may bring what stands there already.
		var twice *lineError
		if _, err := (&expansion{}).fields(n, nil); asTwice(err, &twice) {
			return twice
		}
	}
	return nil
}

// headerProblem is [yamlProblem] of a list without its items: each of them loses
// itself only.
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
