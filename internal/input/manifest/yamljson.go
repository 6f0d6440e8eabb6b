package manifest

import (
	"encoding/json"
	"errors"
	"slices"

	"go.yaml.in/yaml/v3"
)

// expansion writes YAML nodes as JSON. It expands aliases and counts the
// written values, so that a few lines of aliases to aliases cannot become
// gigabytes.
type expansion struct {
	out   []byte
	nodes int
	depth int
	// lastCounts takes the last of two equal fields, which are otherwise an error.
	lastCounts bool
	// places, if set, collects the line of each value.
	places *places
}

// places maps the values of a JSON text to their lines.
type places struct {
	offsets, lines []int
}

// lineAt returns the line of the last value that starts before the offset.
func (p *places) lineAt(offset int) int {
	i, _ := slices.BinarySearch(p.offsets, offset)
	if i == 0 {
		return 0
	}
	return p.lines[i-1]
}

// nodeJSON returns the node as JSON.
func nodeJSON(n *yaml.Node, where *places) ([]byte, error) {
	e := expansion{places: where}
	if err := e.value(n); err != nil {
		return nil, err
	}
	return e.out, nil
}

func (e *expansion) value(n *yaml.Node) error {
	line := n.Line
	n = resolveAlias(n)
	e.nodes++
	e.depth++
	defer func() { e.depth-- }()
	switch {
	case n == nil:
		return &lineError{line, "an alias without its anchor"}
	case e.depth > maxDepth:
		return &lineError{line, errTooDeep.Error()}
	case e.nodes > maxNodes || len(e.out) > maxObject:
		return &lineError{line, "with its aliases written out it is too large"}
	}
	if e.places != nil {
		e.places.offsets = append(e.places.offsets, len(e.out))
		e.places.lines = append(e.places.lines, line)
	}
	switch n.Kind {
	case yaml.MappingNode:
		return e.mapping(n)
	case yaml.SequenceNode:
		return e.sequence(n)
	case yaml.ScalarNode:
		return e.scalar(n)
	}
	return &lineError{line, "an unknown kind of value"}
}

func (e *expansion) sequence(n *yaml.Node) error {
	e.out = append(e.out, '[')
	for i, item := range n.Content {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		if err := e.value(item); err != nil {
			return err
		}
	}
	e.out = append(e.out, ']')
	return nil
}

func (e *expansion) mapping(n *yaml.Node) error {
	fields, err := e.fields(n, nil)
	if err != nil {
		return err
	}
	e.out = append(e.out, '{')
	for i, f := range fields {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.out = appendJSONString(e.out, f.name)
		e.out = append(e.out, ':')
		if err := e.value(f.value); err != nil {
			return err
		}
	}
	e.out = append(e.out, '}')
	return nil
}

// field is one field of a mapping, with its JSON name.
type field struct {
	name  string
	value *yaml.Node
}

// fields returns the fields of a mapping including merge keys ("<<"). A field after
// the merge key wins over a merged one, and an earlier source of one key over a
// later one (https://yaml.org/type/merge.html). It is an error if a merge key brings
// a field that is already there: kubectl's decoder takes the merged one, and the
// specification the other.
func (e *expansion) fields(n *yaml.Node, stack []*yaml.Node) ([]field, error) {
	if len(stack) > maxDepth || slices.Contains(stack, n) {
		return nil, &lineError{n.Line, "a merge key that leads back to itself"}
	}
	var own, merged []field
	seen := names{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := resolveAlias(n.Content[i]), n.Content[i+1]
		e.nodes++
		if isMergeKey(key) {
			more, err := e.merge(n, value, append(stack, n))
			if err != nil {
				return nil, err
			}
			for _, f := range more {
				if seen.has(f.name) || slices.ContainsFunc(merged, func(m field) bool { return m.name == f.name }) {
					return nil, &twiceError{lineError{n.Content[i].Line, twiceText(f.name) + ", once by a merge key"}}
				}
			}
			merged = append(merged, more...)
			continue
		}
		name, err := fieldName(key)
		if err != nil {
			return nil, &lineError{n.Content[i].Line, err.Error()}
		}
		if !seen.add(name) {
			if i := slices.IndexFunc(own, func(f field) bool { return f.name == name }); e.lastCounts && i >= 0 {
				own[i].value = value
				continue
			}
			return nil, &twiceError{lineError{n.Content[i].Line, twiceText(name)}}
		}
		own = append(own, field{name, value})
	}
	for _, f := range merged {
		if e.nodes++; seen.add(f.name) {
			own = append(own, f)
		}
	}
	return own, nil
}

// merge returns the fields of a merge key.
func (e *expansion) merge(n, value *yaml.Node, stack []*yaml.Node) ([]field, error) {
	var out []field
	seen := names{}
	for _, source := range mergeSources(value) {
		source = resolveAlias(source)
		if source == nil || source.Kind != yaml.MappingNode {
			return nil, &lineError{n.Line, "a merge key takes mappings only"}
		}
		if e.nodes > maxNodes {
			return nil, &lineError{n.Line, "with its aliases written out it is too large"}
		}
		more, err := e.fields(source, stack)
		if err != nil {
			return nil, err
		}
		for _, f := range more {
			if e.nodes++; seen.add(f.name) {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// twiceError says that a field is repeated.
type twiceError struct{ lineError }

// asTwice reports whether the error is a repeated field.
func asTwice(err error, into **lineError) bool {
	var twice *twiceError
	if !errors.As(err, &twice) {
		return false
	}
	*into = &twice.lineError
	return true
}

func isMergeKey(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && key.Tag == "!!merge"
}

func mergeSources(value *yaml.Node) []*yaml.Node {
	value = resolveAlias(value)
	if value != nil && value.Kind == yaml.SequenceNode {
		return value.Content
	}
	return []*yaml.Node{value}
}

// names is a set of names that is cheap while it is small, as for nearly all
// mappings.
type names struct {
	few  []string
	many map[string]bool
}

// has reports whether the name was added.
func (s *names) has(name string) bool {
	if s.many != nil {
		return s.many[name]
	}
	return slices.Contains(s.few, name)
}

// add reports whether the name is new.
func (s *names) add(name string) bool {
	if s.many == nil && len(s.few) < 16 {
		if slices.Contains(s.few, name) {
			return false
		}
		s.few = append(s.few, name)
		return true
	}
	if s.many == nil {
		s.many = make(map[string]bool, 64)
		for _, n := range s.few {
			s.many[n] = true
		}
	}
	known := s.many[name]
	s.many[name] = true
	return !known
}

// appendJSONString appends s, quoted.
func appendJSONString(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			quoted, _ := json.Marshal(s) // a string can always be marshalled
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
