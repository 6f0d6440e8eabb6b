package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/planec/planec/internal/input/manifest"
)

// documents are the objects of a directory, for what planec does not keep of them.
type documents []document

// document is the text of one object, or of a list.
type document struct {
	file   string
	text   []byte
	object map[string]any // nil if the text is no object
}

// readDocuments reads the YAML and JSON files of a directory and those below it.
func readDocuments(dir string) (documents, error) {
	var out documents
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		ext := strings.ToLower(filepath.Ext(path))
		if err != nil || d.IsDir() || ext != ".yaml" && ext != ".yml" && ext != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		for _, part := range bytes.Split(append([]byte("\n"), text...), []byte("\n---")) {
			x := document{file: path, text: part}
			if yaml.Unmarshal(part, &x.object) != nil {
				x.object = nil
			}
			out = append(out, x)
		}
		return nil
	})
	return out, err
}

// owners maps pods to the name of what owns them, as "namespace/name".
func (d documents) owners() map[string]string {
	out := make(map[string]string)
	for i := range d {
		walk("", d[i].object, func(_ string, m map[string]any) {
			meta, _ := m["metadata"].(map[string]any)
			refs, _ := meta["ownerReferences"].([]any)
			if len(refs) == 0 {
				return
			}
			ref, _ := refs[0].(map[string]any)
			name, _ := meta["name"].(string)
			owner, _ := ref["name"].(string)
			if ref["kind"] == "Node" {
				return // a static pod, which lists call by its own name
			}
			namespace, _ := meta["namespace"].(string)
			if namespace == "" {
				namespace = "default"
			}
			out[namespace+"/"+name] = namespace + "/" + owner
		})
	}
	return out
}

// walk calls visit for every map, with the name of the field that has it.
func walk(name string, v any, visit func(string, map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(name, v)
		for key, x := range v {
			walk(key, x, visit)
		}
	case []any:
		for _, x := range v {
			walk(name, x, visit)
		}
	}
}

// repair changes what the two tools read in different ways.
type repair struct {
	why    reason
	change func(name string, m map[string]any)
}

// repairs are the known differences, each as a change of the input that removes it.
func repairs() []repair {
	return []repair{
		{cidrs, exceptPods},
		{selectors, func(name string, m map[string]any) {
			if name != "pods" {
				return
			}
			for _, key := range []string{"namespaceSelector", "podSelector"} {
				if _, has := m[key]; !has {
					m[key] = map[string]any{}
				}
			}
		}},
		{names, func(name string, m map[string]any) {
			if text, is := m["name"].(string); is && name == "metadata" {
				m["name"] = strings.ReplaceAll(text, "_", "-")
			}
		}},
		{hosts, func(name string, m map[string]any) {
			delete(m, "hostNetwork")
			if name == "status" { // its addresses are the node's
				delete(m, "podIP")
				delete(m, "podIPs")
			}
		}},
		{finished, func(name string, m map[string]any) {
			if name == "status" {
				delete(m, "phase")
			}
		}},
	}
}

// exceptPods takes the pods' range out of a network of a policy.
func exceptPods(name string, m map[string]any) {
	text, _ := m["cidr"].(string)
	p, err := netip.ParsePrefix(text)
	if name != "ipBlock" || err != nil || !p.Overlaps(podRange) || p.Bits() >= podRange.Bits() {
		return
	}
	except, _ := m["except"].([]any)
	m["except"] = append(except, podRange.String())
}

// changed returns the documents as input, after changes.
func (d documents) changed(list []repair) ([]manifest.Built, error) {
	var out []manifest.Built
	for i := range d {
		text := d[i].text
		if d[i].object != nil {
			// The change works on a copy.
			plain, err := json.Marshal(d[i].object)
			if err != nil {
				return nil, err
			}
			var object map[string]any
			if err := json.Unmarshal(plain, &object); err != nil {
				return nil, err
			}
			for _, r := range list {
				walk("", object, r.change)
			}
			if text, err = json.Marshal(object); err != nil {
				return nil, err
			}
		}
		out = append(out, manifest.Built{File: d[i].file, Line: 1, Text: text})
	}
	return out, nil
}
