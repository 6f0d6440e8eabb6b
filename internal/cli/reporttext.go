package cli

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/planec/planec/internal/review/report"
	"github.com/planec/planec/ir/diag"
)

// manifestTexts returns the files of the objects and diagnostics, sorted by name. A file
// that cannot be read any more is left out: its objects are not.
func manifestTexts(l *loaded, diags diag.List, stdin []byte) []report.File {
	var names []string
	seen := map[string]bool{"": true}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, list := range l.objects.Lists() {
		for o := range list.All() {
			add(o.File)
		}
	}
	for _, d := range diags {
		add(d.Origin.File)
	}
	slices.Sort(names)
	out := make([]report.File, 0, len(names))
	for _, name := range names {
		if name == stdinName {
			out = append(out, report.File{Name: name, Text: stdin})
			continue
		}
		path := name
		if l.base != "" && filepath.IsLocal(filepath.FromSlash(name)) {
			path = filepath.Join(l.base, filepath.FromSlash(name))
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if text, err := os.ReadFile(path); err == nil {
			out = append(out, report.File{Name: name, Text: text})
		}
	}
	return out
}
