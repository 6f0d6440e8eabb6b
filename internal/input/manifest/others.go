package manifest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/planec/planec/internal/text/kustomization"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// withoutOthers leaves out what is said of files that were found in directories, cannot
// be read, and are no manifests: editors and build tools have files of these names in
// formats that are nearly JSON or YAML. How many there were is said.
func (o *Options) withoutOthers(diags diag.List, f *found) diag.List {
	broken := make(map[string]bool)
	for _, d := range diags {
		if d.Code == diag.BadDocument || d.Code == diag.BadUTF8 {
			broken[d.Origin.File] = false
		}
	}
	others, first := 0, ""
	for _, file := range f.files {
		if name := o.name(file); f.walked[file] {
			if _, known := broken[name]; known && !looksLikeManifest(file) {
				broken[name] = true
				if others++; others == 1 {
					first = name
				}
			}
		}
	}
	if others == 0 {
		return diags
	}
	var kept diag.List
	for _, d := range diags {
		if !broken[d.Origin.File] {
			kept = append(kept, d)
		}
	}
	said := "it is not read: neither YAML nor JSON, and no manifest"
	if others > 1 {
		said = fmt.Sprintf("%d files are not read, of which this is the first: neither YAML nor JSON, and no manifests", others)
	}
	kept.Add(diag.OtherFile, ir.Origin{File: first}, said)
	kept.Sort()
	return kept
}

// noteEmpty makes a note of the finding that there is nothing to compile, where all that
// there is has to be made into objects first: that is said beside it.
func (f *found) noteEmpty(diags diag.List) {
	if !f.unmade() {
		return
	}
	for i := range diags {
		if diags[i].Code == diag.EmptyInput {
			diags[i].Note = true
		}
	}
}

// unmade reports whether there is a chart or a kustomization that was not read.
func (f *found) unmade() bool {
	return slices.ContainsFunc(f.skipped, func(s skipped) bool { return s.code == diag.UnrenderedChart || s.code == diag.UnbuiltKustomization })
}

// looksLikeManifest reports whether a file has one of the words that every object has, or
// is called like a kustomization, which needs none. What cannot be opened may be one.
func looksLikeManifest(file string) bool {
	if kustomization.IsName(filepath.Base(file)) {
		return true
	}
	f, err := os.Open(file)
	if err != nil {
		return true
	}
	defer f.Close() // only read
	text, err := io.ReadAll(io.LimitReader(f, maxObject))
	return err != nil || bytes.Contains(text, []byte("kind")) || bytes.Contains(text, []byte("apiVersion"))
}
