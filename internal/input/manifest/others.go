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

// withoutOthers drops findings about files in directories that cannot be parsed and are
// not manifests: editors and build tools use such names for formats that are nearly
// JSON or YAML. It reports their number.
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

// noteEmpty turns the finding that there is nothing to compile into a note if everything
// must first be rendered, which is reported too.
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

// looksLikeManifest reports whether a file contains one of the words of every object, or
// is named like a kustomization, which needs none. An unreadable file may be one.
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
