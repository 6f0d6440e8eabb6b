package manifest

import "go.yaml.in/yaml/v3"

// Place is where an object begins in a file.
type Place struct {
	Kind, Name string // as they are written; an object without a name has none
	Line       int    // of its first field, counting from 1
}

// Places lists the objects of a text that is not a list, up to where it is no longer
// YAML. It decodes nothing: what an object is worth is for [Load] to say.
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
