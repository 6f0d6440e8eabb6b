package nodeconfig

import (
	"bytes"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Text writes a NodeConfig with the settings that are not defaults. Comment returns what is
// said about a setting behind it, or ""; nil says nothing. [Read] reads the same settings from
// the text, without those of [Proxy].
func Text(c *NodeConfig, comment func(Setting) string) ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	add(root, "apiVersion", ownGroup, "")
	add(root, "kind", ownKind, "")
	for _, s := range Settings() {
		if v := s.Value(c); v != nil {
			said := ""
			if comment != nil {
				said = comment(s)
			}
			add(root, s.Name, v, said)
		}
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("writing a NodeConfig: %w", err)
	}
	return b.Bytes(), nil
}

// add adds a field to a mapping.
func add(to *yaml.Node, name string, v any, comment string) {
	key, value := &yaml.Node{Kind: yaml.ScalarNode, Value: name}, node(v)
	at := value
	if value.Kind == yaml.MappingNode {
		at = key // the encoder puts a comment of a mapping below it
	}
	if at.LineComment = comment; comment != "" {
		at.LineComment = "# " + comment
	}
	to.Content = append(to.Content, key, value)
}

// node returns a value as the encoder writes it.
func node(v any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode}
	switch v := v.(type) {
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(v)
	case int:
		n.Tag, n.Value = "!!int", strconv.Itoa(v)
	case []string:
		n = &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, s := range v {
			n.Content = append(n.Content, node(s))
		}
	case []Part:
		n = &yaml.Node{Kind: yaml.MappingNode}
		for _, p := range v {
			add(n, p.Name, p.Value, "")
		}
	default:
		n.SetString(fmt.Sprint(v))
	}
	return n
}
