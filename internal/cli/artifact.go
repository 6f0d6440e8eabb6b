package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir"
)

// sumsFile contains the digests of an artifact's files in the format of sha256sum -c.
// Backends do not write it and kernels do not load it, so their files never change
// because of it. In a directory without it, which was made by other means, only the
// file names are checked.
const sumsFile = "SHA256SUMS"

// sums returns the content of sumsFile for an artifact, one line per file, sorted by name.
func sums(a backends.Artifact) []byte {
	var out []byte
	files := slices.SortedFunc(slices.Values(a.Files), byName)
	for _, f := range files {
		out = fmt.Appendf(out, "%x  %s\n", f.SHA256(), f.Name)
	}
	return out
}

func digest(data []byte) string { return hexOf(sha256.Sum256(data)) }

func hexOf(sum [sha256.Size]byte) string { return hex.EncodeToString(sum[:]) }

// withSums returns an artifact as it is stored in a directory.
func withSums(a backends.Artifact) backends.Artifact {
	files := append(slices.Clone(a.Files), backends.File{Name: sumsFile, Data: sums(a)})
	slices.SortFunc(files, byName)
	return backends.Artifact{Files: files, Private: a.Private}
}

func byName(a, b backends.File) int { return strings.Compare(a.Name, b.Name) }

// fileNames returns the names of a backend's files, sorted: the same for every program.
func fileNames(backend string) ([]string, error) {
	selected, err := registry.Select(backends.DefaultOptions(), backend)
	if err != nil {
		return nil, err
	}
	a, err := selected[0].Emit(&ir.Program{Node: ir.Node{Name: "none"}})
	if err != nil {
		return nil, fmt.Errorf("backend %s: %w", backend, err)
	}
	var names []string
	for _, f := range a.Files {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names, nil
}

// readArtifact reads a directory with the files of exactly one backend: the
// requested one, the one in the directory's name, or else the one whose files it
// has.
func readArtifact(dir, backend string) (applier.Entry, error) {
	files, err := readFiles(dir)
	if err != nil {
		return applier.Entry{}, inputError(fmt.Errorf("--artifact wants a directory with the files of one backend (planec compile --out-dir): %w", err))
	}
	if backend == "" {
		if backend, err = backendOf(dir, files); err != nil {
			return applier.Entry{}, inputError(err)
		}
	}
	e := applier.Entry{Backend: backend}
	if !slices.Contains(registry.Names(), backend) {
		return e, oneBackend(backend)
	}
	if e.Artifact, err = exactly(backend, files); err != nil {
		return e, inputError(fmt.Errorf("%s: %w", dir, err))
	}
	return e, nil
}

// readFiles reads all files in a directory, which must contain only files.
func readFiles(dir string) ([]backends.File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []backends.File
	for _, entry := range entries {
		at := filepath.Join(dir, entry.Name())
		if !entry.Type().IsRegular() {
			return nil, fmt.Errorf("%s is no file: give a directory as compile writes it, DIR/<node>/<backend>", at)
		}
		data, err := os.ReadFile(at)
		if err != nil {
			return nil, err
		}
		files = append(files, backends.File{Name: entry.Name(), Data: data})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no files", dir)
	}
	return files, nil
}

// backendOf returns the backend in the directory's name, or the one whose files it has.
func backendOf(dir string, files []backends.File) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if name := filepath.Base(abs); slices.Contains(registry.Names(), name) {
		return name, nil
	}
	// The files of one backend can be among those of another: the most that are there count.
	found, most := "", 0
	for _, name := range registry.Names() {
		wanted, err := fileNames(name)
		if err != nil {
			return "", err
		}
		if slices.ContainsFunc(files, func(f backends.File) bool { return slices.Contains(wanted, f.Name) }) && lacks(wanted, files) == "" && len(wanted) > most {
			found, most = name, len(wanted)
		}
	}
	if found != "" {
		return found, nil
	}
	return "", fmt.Errorf("%s has not the files of one backend, and is not named after one: give --backend", dir)
}

// lacks returns the first of the wanted names without a file, or "".
func lacks(wanted []string, files []backends.File) string {
	for _, name := range wanted {
		if !slices.ContainsFunc(files, func(f backends.File) bool { return f.Name == name }) {
			return name
		}
	}
	return ""
}

// exactly returns the artifact in the files: exactly those of one backend, with the
// digests that are stored beside them.
func exactly(backend string, files []backends.File) (backends.Artifact, error) {
	wanted, err := fileNames(backend)
	if err != nil {
		return backends.Artifact{}, err
	}
	var a backends.Artifact
	var written []byte
	var errs []error
	for _, f := range files {
		switch {
		case f.Name == sumsFile:
			written = f.Data
		case slices.Contains(wanted, f.Name):
			a.Files = append(a.Files, f)
		default:
			errs = append(errs, fmt.Errorf("%s is no file of backend %s", f.Name, backend))
		}
	}
	if missing := lacks(wanted, files); missing != "" {
		errs = append(errs, fmt.Errorf("%s is missing, which backend %s writes", missing, backend))
	}
	if err := errors.Join(errs...); err != nil {
		return a, err
	}
	if written == nil || bytes.Equal(written, sums(a)) {
		return a, nil
	}
	for _, f := range a.Files {
		if !bytes.Contains(written, []byte(hexOf(f.SHA256())+"  "+f.Name+"\n")) {
			return a, fmt.Errorf("%s is not the file that was compiled: its digest in %s is another one", f.Name, sumsFile)
		}
	}
	return a, fmt.Errorf("%s is not of these files", sumsFile)
}
