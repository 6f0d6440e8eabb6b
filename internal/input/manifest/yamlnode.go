package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// lineError is an error with its line in the text.
type lineError struct {
	line int
	text string
}

func (e *lineError) Error() string { return e.text }

// yamlNodes parses the documents in the text. The library panics on some
// invalid input, which becomes an error.
func yamlNodes(text []byte) (nodes []*yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			nodes, err = nil, &lineError{1, fmt.Sprintf("it cannot be parsed: %v", r)}
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return nodes, nil
		} else if err != nil {
			return nodes, syntaxError(err)
		}
		nodes = append(nodes, doc.Content...)
	}
}

// yamlErrorLine finds the line in the library's messages, because its errors
// have no field for it.
var yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): `)

func syntaxError(err error) *lineError {
	text := err.Error()
	if m := yamlErrorLine.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		return &lineError{max(n, 1), text[len(m[0]):]}
	}
	return &lineError{1, strings.TrimPrefix(text, "yaml: ")}
}

// yamlField returns the key and the value of a field of a mapping, or nil.
func yamlField(n *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Kind == yaml.ScalarNode && n.Content[i].Value == name {
			return n.Content[i], resolveAlias(n.Content[i+1])
		}
	}
	return nil, nil
}

// yamlMeta returns the type fields of the mapping, and whether it has items, as
// kubectl's decoder sees them: names may be quoted, and values may come from merge
// keys and aliases.
func yamlMeta(n *yaml.Node) (meta typeMeta, items bool) {
	fields, err := (&expansion{}).fields(n, nil)
	if err != nil {
		// JSON cannot have this name, which may be from a template.
		for i := 0; i+1 < len(n.Content); i += 2 {
			if name, err := fieldName(resolveAlias(n.Content[i])); err == nil {
				fields = append(fields, field{name, n.Content[i+1]})
			}
		}
	}
	for _, f := range fields {
		value := resolveAlias(f.value)
		switch f.name {
		case "kind":
			meta.kind = stringValue(value)
		case "apiVersion":
			meta.apiVersion = stringValue(value)
		case "items":
			items = value != nil && (value.Kind != yaml.ScalarNode || value.Tag != "!!null")
		}
	}
	return meta, items
}

// stringValue returns a scalar's string in JSON, or "".
func stringValue(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	text, err := scalarJSON(nil, n)
	if err != nil {
		return ""
	}
	return jsonString(text)
}

// resolveAlias returns the node behind an alias. An alias never refers to
// another alias.
func resolveAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
