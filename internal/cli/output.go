package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/planec/planec/backends"
)

// writeArtifact writes an artifact's files below dir; each appears whole or not
// at all.
func writeArtifact(dir string, a backends.Artifact) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return systemError(fmt.Errorf("making a directory for rules: %w", err))
	}
	for _, f := range a.Files {
		if err := writeFile(filepath.Join(dir, f.Name), f.Data); err != nil {
			return systemError(fmt.Errorf("writing rules: %w", err))
		}
	}
	return nil
}

// writeFile replaces a file by renaming a finished one over it.
func writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".planec-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // after the rename there is nothing left to remove
	_, err = tmp.Write(data)
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(tmp.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
