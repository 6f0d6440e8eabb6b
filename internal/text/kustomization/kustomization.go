// Package kustomization reads kustomization files as far as planec needs them: the
// names in it, those that kustomize would fetch, and whether it changes objects.
// kustomize itself reports errors in the file.
package kustomization

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// names are the file names of a kustomization, in kustomize's order.
var names = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// IsName reports whether base is the file name of a kustomization.
func IsName(base string) bool { return slices.Contains(names, base) }

// Find returns the path of a directory's kustomization, searched in kustomize's
// order, or "".
func Find(dir string) string {
	for _, name := range names {
		at := filepath.Join(dir, name)
		if info, err := os.Stat(at); err == nil && info.Mode().IsRegular() {
			return at
		}
	}
	return ""
}

// maxFile is the maximum size of a kustomization file, in bytes.
const maxFile = 4 << 20

// Content is the value of a YAML file: a kustomization, or another file such as
// the configuration of a plugin.
type Content struct{ value any }

// Read reads a kustomization file. It returns read errors and YAML errors, and an
// error for a file larger than 4 MiB.
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

// Fields returns the top-level fields of the kustomization; nil if it could not be read.
func (c Content) Fields() map[string]any {
	fields, _ := c.value.(map[string]any)
	return fields
}

// Each calls do for every string of the kustomization, with the name of the field
// that contains it, directly or in a list.
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

// changing are the fields that change the objects which the kustomization names,
// in a way that matters to planec: images and ConfigMaps do not.
var changing = []string{
	"namespace", "namePrefix", "nameSuffix", "commonLabels", "labels", "patches", "patchesStrategicMerge", "patchesJson6902",
	"replacements", "vars", "transformers", "components", "generators", "helmCharts", "helmChartInflationGenerator",
}

// ChangesObjects reports whether the resulting objects differ from the objects in
// the files that the kustomization names.
func (c Content) ChangesObjects() bool {
	fields := c.Fields()
	return fields["kind"] == "Component" || slices.ContainsFunc(changing, func(name string) bool { return fields[name] != nil && fields[name] != "" })
}

// Named returns the files and directories that the kustomization may name, as
// written there, but with the separators of this system.
func (c Content) Named() (list []string) {
	c.Each(func(_, value string) {
		if strings.Contains(value, "\n") {
			return // inline content, not a name
		}
		_, source, _ := strings.Cut(value, "=") // of a file for a generator
		for _, name := range []string{value, source} {
			if name != "" {
				list = append(list, filepath.FromSlash(name))
			}
		}
	})
	slices.Sort(list)
	return slices.Compact(list)
}

// Outside reports whether the kustomization of a directory names existing files or
// directories outside of root.
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

// Bases calls do for each source of objects in the kustomization, with its field:
// files and directories that must exist.
func (c Content) Bases(do func(field, value string)) {
	c.Each(func(field, value string) {
		if (field == "resources" || field == "components" || field == "bases") && !strings.Contains(value, "\n") {
			do(field, value)
		}
	})
}
