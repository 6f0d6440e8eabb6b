package play

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// sumsName lists the files of a folder with their digests, as sha256sum does. It is how
// [Write] knows its own files.
const sumsName = "SHA256SUMS"

// Write writes a playground into a directory, which it makes where it is missing. Files
// that are there are replaced only if an earlier Write made them and no one changed them
// since; else nothing is written. It returns where the page is.
func Write(dir string, assets []Asset) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("write the playground: %w", err)
	}
	sums, err := readSums(dir)
	if err != nil {
		return "", err
	}
	var list bytes.Buffer
	for _, a := range assets {
		if err := own(dir, a.Name, sums); err != nil {
			return "", err
		}
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(a.Data), a.Name)
	}
	// The list comes first: a Write that was interrupted can be repeated only where its
	// files are in it.
	for _, a := range append([]Asset{{Name: sumsName, Data: list.Bytes()}}, assets...) {
		if err := replace(filepath.Join(dir, a.Name), a.Data); err != nil {
			return "", fmt.Errorf("write the playground: %w", err)
		}
	}
	return filepath.Join(dir, "index.html"), nil
}

// own returns an error if there is a file of the name that no Write made.
func own(dir, name string, sums map[string]string) error {
	at := filepath.Join(dir, name)
	info, err := os.Lstat(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the playground: %w", err)
	}
	sum, listed := sums[name]
	if listed && info.Mode().IsRegular() {
		data, err := os.ReadFile(at)
		if err != nil {
			return fmt.Errorf("write the playground: %w", err)
		}
		if fmt.Sprintf("%x", sha256.Sum256(data)) == sum {
			return nil
		}
	}
	return fmt.Errorf("%s is not of a playground, or was changed since, so nothing was written: give another directory", at)
}

// readSums reads the list of an earlier Write; there may be none.
func readSums(dir string) (map[string]string, error) {
	sums := make(map[string]string)
	data, err := os.ReadFile(filepath.Join(dir, sumsName))
	if errors.Is(err, fs.ErrNotExist) {
		return sums, nil
	}
	if err != nil {
		return nil, fmt.Errorf("write the playground: %w", err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		if sum, name, ok := bytes.Cut(lines.Bytes(), []byte("  ")); ok {
			sums[string(name)] = string(sum)
		}
	}
	if len(sums) == 0 {
		return nil, fmt.Errorf("%s is not of a playground, so nothing was written: give another directory", filepath.Join(dir, sumsName))
	}
	return sums, nil
}

// replace writes a file as a whole, or leaves it as it was.
func replace(at string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(at), ".planec-play-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), at)
	}
	if err != nil {
		os.Remove(f.Name()) // what is left of it
	}
	return err
}
