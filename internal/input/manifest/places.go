package manifest

import "go.yaml.in/yaml/v3"

// Place is the start of an object in a file.
type Place struct {
	Kind, Name string // as written; Name is "" for an object without one
	Line       int    // the line of its first field, from 1
}

// Places lists the objects of a text that is not a list, up to the first invalid
// YAML. It decodes nothing: [Load] validates the objects.
func Places(text []byte) (list []Place) {
	nodes, _ := yamlNodes(text)
	for _, n := range nodes {
		if n.Kind != yaml.MappingNode {
			continue
		}
		meta, _ := yamlMeta(n)
		if _, m := yamlField(n, "metadata"); m != nil && m.Kind == yaml.MappingNode {
			if _, name := yamlField(m, "name"); name != nil && stringValue(name) != "" {
				list = append(list, Place{Kind: meta.kind, Name: stringValue(name), Line: n.Line})
			}
		}
	}
	return list
}
