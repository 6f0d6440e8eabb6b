package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/review/connectivity"
	"github.com/planec/planec/internal/review/report"
	"github.com/planec/planec/ir"
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

// mapOf draws who can reach whom, with what a change opened and closed where before is
// not nil. Without pods there is nothing to draw.
func mapOf(before, after *loaded, root string) *report.Map {
	if len(after.objects.Pods) == 0 {
		return nil
	}
	locator := manifest.Locator{Base: after.base}
	defer locator.Close()
	locate := func(o ir.Origin) ir.Origin {
		o = locator.Locate(o)
		o.File = strings.TrimPrefix(o.File, root)
		return o
	}
	now := &report.Reach{Map: connectivity.Of(&after.objects, after.cluster, nil), Locate: locate}
	if before == nil {
		return report.NewMap(nil, now)
	}
	return report.NewMap(&report.Reach{Map: connectivity.Of(&before.objects, before.cluster, nil), Locate: locate}, now)
}
