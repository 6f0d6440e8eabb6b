package manifest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/planec/planec/ir/diag"
)

// kustomizationNames are those of a kustomization's file, in the order of kustomize.
var kustomizationNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// KustomizationFile is the path of a directory's kustomization, as kustomize looks for
// it; "" is none.
func KustomizationFile(dir string) string {
	for _, name := range kustomizationNames {
		if at := filepath.Join(dir, name); isRegular(at) {
			return at
		}
	}
	return ""
}

// changing are the fields of a kustomization that make other objects of those that it
// names, as far as planec reads them: images and ConfigMaps are none of those.
var changing = []string{
	"namespace", "namePrefix", "nameSuffix", "commonLabels", "labels", "patches", "patchesStrategicMerge", "patchesJson6902",
	"replacements", "vars", "transformers", "components", "generators", "helmCharts", "helmChartInflationGenerator",
}

// kustomization looks whether the files of a directory are objects as they are: where
// its kustomization changes them, they are not read.
func (w *walk) kustomization(dir string) error {
	file := KustomizationFile(dir)
	if file == "" {
		return nil
	}
	content := readKustomization(file)
	changes := content["kind"] == "Component"
	for _, field := range changing {
		if v := content[field]; v != nil && v != "" {
			changes = true
		}
	}
	if !changes {
		switch {
		case Outside(dir, w.root):
			w.skip(diag.UnbuiltKustomization, file, "what this kustomization names outside of the given directory is not read")
		case namesRemote(content):
			w.skip(diag.UnbuiltKustomization, file, "what this kustomization has fetched is not read")
		}
		return nil
	}
	if !w.recursive {
		// Who names a directory names its files, as kubectl has it.
		w.skip(diag.UnbuiltKustomization, file, "this kustomization is not built: what it changes is read as it is before")
		return nil
	}
	w.skip(diag.UnbuiltKustomization, file, "what this kustomization names is not read: it changes the objects first")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		w.left[filepath.Join(dir, e.Name())] = true
	}
	eachString(content, func(value string) {
		if !strings.Contains(value, "\n") {
			w.left[filepath.Join(dir, filepath.FromSlash(value))] = true
		}
	})
	return nil
}

// maxKustomization bounds a kustomization; one that is larger names nothing.
const maxKustomization = 4 << 20

// readKustomization reads the file as far as it is YAML; kustomize says what is wrong.
func readKustomization(file string) (content map[string]any) {
	info, err := os.Stat(file)
	if err != nil || info.Size() > maxKustomization {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil || yaml.Unmarshal(text, &content) != nil {
		return nil
	}
	return content
}

// NamedBy lists the files and directories that a directory's kustomization may name,
// as they are written there.
func NamedBy(dir string) (names []string) {
	file := KustomizationFile(dir)
	if file == "" {
		return nil
	}
	eachString(readKustomization(file), func(value string) {
		if strings.Contains(value, "\n") {
			return
		}
		_, source, _ := strings.Cut(value, "=") // of a generator's file
		for _, name := range []string{value, source} {
			if name != "" {
				names = append(names, filepath.FromSlash(name))
			}
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// namesRemote reports whether a kustomization has objects that are fetched.
func namesRemote(content map[string]any) (remote bool) {
	for _, field := range []string{"resources", "bases", "components"} {
		eachString(content[field], func(value string) {
			remote = remote || strings.Contains(value, "://") || strings.Contains(value, "?ref=") || strings.HasPrefix(value, "github.com/")
		})
	}
	return remote
}

// Outside reports whether a directory's kustomization names files or directories
// that are there and are not at or below root.
func Outside(dir, root string) bool {
	return slices.ContainsFunc(NamedBy(dir), func(name string) bool {
		at := filepath.Join(dir, name)
		rel, err := filepath.Rel(root, at)
		if err == nil && filepath.IsLocal(rel) {
			return false
		}
		_, err = os.Stat(at)
		return err == nil
	})
}

// eachString calls do with every string below a value.
func eachString(value any, do func(string)) {
	switch v := value.(type) {
	case string:
		do(v)
	case []any:
		for _, x := range v {
			eachString(x, do)
		}
	case map[string]any:
		for _, x := range v {
			eachString(x, do)
		}
	}
}
