//go:build !js

// Package kustomize builds kustomizations like kubectl -k, but offline: it fetches
// nothing.
package kustomize

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/text/kustomization"
)

// ErrNone says that a directory has no kustomization.
var ErrNone = errors.New("there is no kustomization.yaml, kustomization.yml or Kustomization")

// maxDirs bounds the number of kustomizations in one build.
const maxDirs = 1000

// Build returns the output of kubectl kustomize for a directory, with the original places of the
// objects; generated ones get the first line of the kustomization. Like in kubectl, plugins,
// functions and Helm charts are off, and files outside of the directory are not loaded. A remote
// resource is an error.
func Build(dir string) (objects []manifest.Built, err error) {
	file := kustomization.Find(dir)
	if file == "" {
		return nil, fmt.Errorf("%s: %w", dir, ErrNone)
	}
	if err := local(dir, make(map[string]bool)); err != nil {
		return nil, err
	}
	// A kustomization is untrusted, and the library panics on some.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("building %s: %v", file, r)
		}
	}()
	disk, err := originsOf(file)
	if err != nil {
		return nil, err
	}
	disk.dir = dir
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, dir)
	if disk.remote != nil {
		return nil, disk.remote
	}
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", file, err)
	}
	places := make(map[string][]manifest.Place)
	for _, r := range built.Resources() {
		o, err := object(dir, file, r, places)
		if err != nil {
			return nil, fmt.Errorf("building %s: %s: %w", file, r.CurId(), err)
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// object converts one built object, without the annotation of its origin.
func object(dir, file string, r *resource.Resource, places map[string][]manifest.Place) (manifest.Built, error) {
	o := manifest.Built{File: file, Line: 1}
	origin, err := r.GetOrigin()
	if err != nil {
		return o, err
	}
	if origin != nil && origin.Path != "" && origin.Repo == "" {
		o.File = filepath.Join(dir, filepath.FromSlash(origin.Path))
		o.Line = lineOf(o.File, r.GetKind(), r.GetName(), places)
	}
	if origin != nil {
		if err := r.SetOrigin(nil); err != nil {
			return o, err
		}
	}
	// Use one line, because lines of the output are not those of the file.
	o.Text, err = r.MarshalJSON()
	return o, err
}

// local rejects remote resources in a kustomization and in those it refers to.
func local(dir string, seen map[string]bool) error {
	file := kustomization.Find(dir)
	key, err := filepath.Abs(dir)
	if err != nil || file == "" || seen[key] {
		return err // kustomize reports what is wrong with a directory without one
	}
	if seen[key] = true; len(seen) > maxDirs {
		return fmt.Errorf("%s: it leads to more than %d kustomizations", dir, maxDirs)
	}
	content, err := kustomization.Read(file)
	if err != nil {
		return err
	}
	if field, value := content.Remote(); field != "" {
		return remoteError(file, field, value, dir)
	}
	var problem error
	content.Bases(func(field, value string) {
		if problem != nil {
			return
		}
		at := filepath.Join(dir, filepath.FromSlash(value))
		if info, err := os.Stat(at); err != nil {
			problem = fmt.Errorf("%s: %s: %w", file, field, err)
		} else if info.IsDir() {
			problem = local(at, seen)
		}
	})
	return problem
}

// remoteError says that something is not fetched, and how to get it.
func remoteError(file, field, value, dir string) error {
	return fmt.Errorf("%s: %s %q is remote, and planec fetches nothing: kustomize build %s | planec ... -f -", file, field, value, dir)
}
