package kustomize

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// withOrigins is the disk, but for one kustomization that asks for notes of where its
// objects are from, and for files that would have something fetched: those cannot be read.
type withOrigins struct {
	filesys.FileSystem
	file string
	text []byte
	// dir is what is built, and remote what kept it from being built: kustomize takes a
	// kustomization that it cannot read for one that is not there.
	dir    string
	remote error
}

// ReadFile implements [filesys.FileSystem].
func (d *withOrigins) ReadFile(path string) ([]byte, error) {
	if at, err := filepath.EvalSymlinks(path); err == nil && at == d.file {
		return d.text, nil
	}
	text, err := d.FileSystem.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if field, value := fetches(path, text); field != "" {
		if d.remote == nil {
			d.remote = remoteError(path, field, value, d.dir)
		}
		return nil, d.remote
	}
	return text, nil
}

// originsOf is the disk with a kustomization that asks for origins.
func originsOf(file string) (*withOrigins, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var content map[string]any
	if err := yaml.Unmarshal(text, &content); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if content == nil {
		content = make(map[string]any)
	}
	options, _ := content["buildMetadata"].([]any) // kustomize says what is wrong with another value
	if !slices.Contains(options, any(types.OriginAnnotations)) {
		content["buildMetadata"] = append(options, types.OriginAnnotations)
	}
	d := &withOrigins{FileSystem: filesys.MakeFsOnDisk()}
	if d.text, err = yaml.Marshal(content); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if d.file, err = filepath.Abs(file); err == nil {
		d.file, err = filepath.EvalSymlinks(d.file)
	}
	return d, err
}

// place is one object of a file.
type place struct {
	kind, name string
	line       int
}

// lineOf finds the object of a file that was given another name: a prefix and a suffix
// mostly. It is 1 where it cannot be told.
func lineOf(file, kind, name string, places map[string][]place) int {
	list, known := places[file]
	if !known {
		list = placesOf(file)
		places[file] = list
	}
	best := place{line: 1}
	for _, p := range list {
		if p.kind == kind && strings.Contains(name, p.name) && len(p.name) > len(best.name) {
			best = p
		}
	}
	return best.line
}

// placesOf lists the objects of a file, as far as it is YAML.
func placesOf(file string) (list []place) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	line, start := 0, 1
	var document []byte
	end := func() {
		var o struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if yaml.Unmarshal(document, &o) == nil && o.Metadata.Name != "" {
			list = append(list, place{o.Kind, o.Metadata.Name, start})
		}
		document = nil
	}
	for l := range bytes.Lines(text) {
		line++
		switch content := bytes.TrimSpace(l); {
		case bytes.HasPrefix(l, []byte("---")):
			end()
		case len(document) == 0 && (len(content) == 0 || content[0] == '#'):
		default:
			if len(document) == 0 {
				start = line
			}
			document = append(document, l...)
		}
	}
	end()
	return list
}
