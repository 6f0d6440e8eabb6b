//go:build !js

package kustomize

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/text/kustomization"
)

// withOrigins is the file system, but one kustomization asks for origin annotations, and
// files with remote references cannot be read.
type withOrigins struct {
	filesys.FileSystem
	file string
	text []byte
	// dir is the built directory, and remote the reference that prevented it: kustomize
	// treats an unreadable kustomization like a missing one.
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
	if field, value := kustomization.Fetches(path, text); field != "" {
		if d.remote == nil {
			d.remote = remoteError(path, field, value, d.dir)
		}
		return nil, d.remote
	}
	return text, nil
}

// originsOf returns the file system in which a kustomization asks for origins.
func originsOf(file string) (*withOrigins, error) {
	content, err := kustomization.Read(file)
	if err != nil {
		return nil, err
	}
	fields := content.Fields()
	options, _ := fields["buildMetadata"].([]any) // kustomize reports another value
	if !slices.Contains(options, any(types.OriginAnnotations)) {
		fields["buildMetadata"] = append(options, types.OriginAnnotations)
	}
	d := &withOrigins{FileSystem: filesys.MakeFsOnDisk()}
	if d.text, err = yaml.Marshal(fields); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if d.file, err = filepath.Abs(file); err == nil {
		d.file, err = filepath.EvalSymlinks(d.file)
	}
	return d, err
}

// lineOf finds the line of a renamed object of a file, usually one with a prefix and a
// suffix; 1 if it is unknown.
func lineOf(file, kind, name string, places map[string][]manifest.Place) int {
	list, known := places[file]
	if !known {
		// The line is only a help, so text that is not YAML is ignored.
		if text, err := os.ReadFile(file); err == nil {
			list = manifest.Places(text)
		}
		places[file] = list
	}
	best := manifest.Place{Line: 1}
	for _, p := range list {
		if p.Kind == kind && strings.Contains(name, p.Name) && len(p.Name) > len(best.Name) {
			best = p
		}
	}
	return best.Line
}
