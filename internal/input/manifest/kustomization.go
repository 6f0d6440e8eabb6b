package manifest

import (
	"os"
	"path/filepath"

	"github.com/planec/planec/internal/text/kustomization"
	"github.com/planec/planec/ir/diag"
)

// kustomization checks whether the files of a directory are complete objects: if its
// kustomization changes them, they are not read.
func (w *walk) kustomization(dir string) error {
	file := kustomization.Find(dir)
	if file == "" {
		return nil
	}
	content, _ := kustomization.Read(file) // kustomize reports errors in it
	if !content.ChangesObjects() {
		switch remote, _ := content.Remote(); {
		case content.Outside(dir, w.root):
			w.skip(diag.UnbuiltKustomization, file, "what this kustomization names outside of the given directory is not read")
		case remote != "":
			w.skip(diag.UnbuiltKustomization, file, "what this kustomization has fetched is not read")
		}
		return nil
	}
	if !w.recursive {
		// Naming a directory names its files, as in kubectl.
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
	for _, name := range content.Named() {
		w.left[filepath.Join(dir, name)] = true
	}
	return nil
}
