package frrload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// recordFile is in planec's state directory.
const recordFile = "frr.json"

// nextFile is a record that is not complete yet.
const nextFile = recordFile + ".next"

// Remember writes down which FRR is given files, for [Recall].
func (f *FRR) Remember(stateDir string) error {
	b, err := json.Marshal(f)
	if err == nil {
		err = writeRecord(stateDir, append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("the record of frr.conf: %w", err)
	}
	return nil
}

// writeRecord writes the record whole or not at all: [Recall] refuses half of one, and cleaning
// would find no frr.conf.
func writeRecord(stateDir string, b []byte) error {
	if err := os.MkdirAll(stateDir, 0o755); err != nil {
		return err
	}
	next := filepath.Join(stateDir, nextFile)
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // of what a killed process has left, or what is no file and would wait
	}
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(stateDir, recordFile))
}

// Recall returns the FRR that was given files, or nil if none was.
func Recall(stateDir string) (*FRR, error) {
	file, err := openRegular(filepath.Join(stateDir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	f := &FRR{}
	if err == nil {
		defer file.Close() // only read
		err = json.NewDecoder(file).Decode(f)
	}
	if err != nil {
		return nil, fmt.Errorf("the record of frr.conf: %w", err)
	}
	return f, nil
}

// Forget removes the record.
func Forget(stateDir string) error {
	for _, name := range []string{recordFile, nextFile} {
		if err := os.Remove(filepath.Join(stateDir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the record of frr.conf: %w", err)
		}
	}
	return nil
}

// RecordedToClean says what [CleanRecorded] would remove, without a change.
func RecordedToClean(stateDir string) ([]string, error) {
	f, err := Recall(stateDir)
	if f == nil || err != nil {
		return nil, err
	}
	return f.ToClean()
}

// CleanRecorded does [FRR.Clean] for the FRR that a state directory has a record of, if any,
// and removes the record.
func CleanRecorded(ctx context.Context, stateDir string) ([]string, error) {
	f, err := Recall(stateDir)
	if f == nil || err != nil {
		return nil, err
	}
	removed, err := f.Clean(ctx)
	if err != nil {
		return removed, err
	}
	return removed, Forget(stateDir)
}
