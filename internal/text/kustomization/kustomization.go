// Package kustomization reads the file of a kustomization, as far as planec looks at
// it: what it names, what of that would be fetched, and whether it changes objects. What
// is wrong with one is for kustomize to say.
package kustomization

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Names are those of a kustomization's file, in the order of kustomize.
var names = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// IsName reports whether a file of this base name is a kustomization.
func IsName(base string) bool { return slices.Contains(names, base) }

// Find is the path of a directory's kustomization, as kustomize looks for it; "" is
// none.
func Find(dir string) string {
	for _, name := range names {
		at := filepath.Join(dir, name)
		if info, err := os.Stat(at); err == nil && info.Mode().IsRegular() {
			return at
		}
	}
	return ""
}

// maxFile bounds a kustomization's own file, in bytes.
const maxFile = 4 << 20

// Content is a kustomization, or another value of YAML, such as the configuration of a
// plugin.
type Content struct{ value any }

// Read reads a kustomization's file. The error is that of reading, of YAML, or of a file
// that is larger than 4 MiB.
func Read(file string) (Content, error) {
	info, err := os.Stat(file)
	if err != nil {
		return Content{}, err
	}
	if info.Size() > maxFile {
		return Content{}, fmt.Errorf("%s: larger than %d MiB", file, maxFile>>20)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return Content{}, err
	}
	var fields map[string]any
	if err := yaml.Unmarshal(text, &fields); err != nil {
		return Content{}, fmt.Errorf("%s: %w", file, err)
	}
	if fields == nil {
		fields = make(map[string]any)
	}
	return Content{fields}, nil
}

// Fields are the kustomization's own fields; nil where it could not be read.
func (c Content) Fields() map[string]any {
	fields, _ := c.value.(map[string]any)
	return fields
}

// Each calls do with every string of the kustomization and with the name of the field
// that it is in, or in whose list.
func (c Content) Each(do func(field, value string)) { each(c.value, "", do) }

func each(value any, field string, do func(field, value string)) {
	switch v := value.(type) {
	case string:
		do(field, v)
	case []any:
		for _, x := range v {
			each(x, field, do)
		}
	case map[string]any:
		for name, x := range v {
			each(x, name, do)
		}
	}
}

// changing are the fields of a kustomization that make other objects of those that it
// names, as far as planec reads them: images and ConfigMaps are none of those.
var changing = []string{
	"namespace", "namePrefix", "nameSuffix", "commonLabels", "labels", "patches", "patchesStrategicMerge", "patchesJson6902",
	"replacements", "vars", "transformers", "components", "generators", "helmCharts", "helmChartInflationGenerator",
}

// ChangesObjects reports whether the objects of a cluster are others than those of the
// files that the kustomization names.
func (c Content) ChangesObjects() bool {
	fields := c.Fields()
	return fields["kind"] == "Component" || slices.ContainsFunc(changing, func(name string) bool { return fields[name] != nil && fields[name] != "" })
}

// Named lists the files and directories that the kustomization may name, as they are
// written there, with the separators of this system.
func (c Content) Named() (list []string) {
	c.Each(func(_, value string) {
		if strings.Contains(value, "\n") {
			return // it stands in the file itself
		}
		_, source, _ := strings.Cut(value, "=") // of a generator's file
		for _, name := range []string{value, source} {
			if name != "" {
				list = append(list, filepath.FromSlash(name))
			}
		}
	})
	slices.Sort(list)
	return slices.Compact(list)
}

// Outside reports whether the kustomization of a directory names files or directories
// that are there and are not at or below root.
func (c Content) Outside(dir, root string) bool {
	return slices.ContainsFunc(c.Named(), func(name string) bool {
		at := filepath.Join(dir, name)
		rel, err := filepath.Rel(root, at)
		if err == nil && filepath.IsLocal(rel) {
			return false
		}
		_, err = os.Stat(at)
		return err == nil
	})
}

// Bases lists what the kustomization takes objects from, with the field of each: files
// and directories that it must have.
func (c Content) Bases(do func(field, value string)) {
	c.Each(func(field, value string) {
		if (field == "resources" || field == "components" || field == "bases") && !strings.Contains(value, "\n") {
			do(field, value)
		}
	})
}
