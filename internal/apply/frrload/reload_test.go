package frrload

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends/frr"
)

// TestDifferences reads what frr-reload.py prints.
func TestDifferences(t *testing.T) {
	out := `2026-01-01 10:00:00,000  INFO: Loading Config object from file frr.conf

Lines To Delete
===============
no hostname box
router bgp 1
 neighbor 192.0.2.1 password secret-word

Lines To Add
============
router bgp 2
`
	want := []string{"router bgp 1", "neighbor 192.0.2.1 password …", "router bgp 2"}
	if got := differences([]byte(out)); !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

// TestFile checks whose file is replaced, and what a killed process leaves.
func TestFile(t *testing.T) {
	f := &FRR{Dir: filepath.Join(t.TempDir(), "new")}
	if b, err := f.Read(); b != nil || err != nil {
		t.Errorf("none: %q %v", b, err)
	}
	conf := frr.Header + "a\n"
	if err := f.Write([]byte(conf)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.Dir, temporary+"1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Write([]byte(conf)); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(f.Dir)
	info, statErr := os.Stat(f.File())
	if err != nil || len(entries) != 1 || statErr != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v %v %v %v", entries, err, info, statErr)
	}
	if b, err := f.Read(); string(b) != conf || err != nil {
		t.Errorf("%q %v", b, err)
	}
	// Another program loads the file: it says nothing then, once.
	for i := range 2 {
		would, lost := f.ToClean()
		removed, err := f.Clean(t.Context())
		if lost != nil || !slices.Equal(would, removed) {
			t.Errorf("clean %d: %q was to be removed: %v", i, would, lost)
		}
		if b, _ := f.Read(); err != nil || len(removed) != 1-i || string(b) != frr.Nothing {
			t.Errorf("clean %d: %q %v %q", i, removed, err, b)
		}
	}
	if err := os.WriteFile(f.File(), []byte("hostname mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(); !errors.Is(err, ErrForeign) {
		t.Errorf("a foreign file: %v", err)
	}
	if removed, err := f.Clean(t.Context()); err != nil || removed != nil {
		t.Errorf("a foreign file: %q %v", removed, err)
	}
	if would, err := f.ToClean(); err != nil || would != nil {
		t.Errorf("a foreign file: %q %v", would, err)
	}
}

// TestRecord finds the FRR again that was given files.
// TestRecordOfHalf: what a killed program left of a record beside it is not in the way.
func TestRecordOfHalf(t *testing.T) {
	dir, want := t.TempDir(), &FRR{Dir: "/etc/frr"}
	if err := os.WriteFile(filepath.Join(dir, nextFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := Recall(dir); f != nil || err != nil {
		t.Errorf("%v %v", f, err)
	}
	if err := want.Remember(dir); err != nil {
		t.Fatal(err)
	}
	if f, err := Recall(dir); err != nil || !reflect.DeepEqual(f, want) {
		t.Errorf("%v %v", f, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v %v", entries, err)
	}
}

func TestRecord(t *testing.T) {
	dir := t.TempDir()
	if f, err := Recall(dir); f != nil || err != nil {
		t.Errorf("none: %v %v", f, err)
	}
	want := &FRR{Dir: filepath.Join(dir, "x"), Run: "/run/frr"}
	if err := want.Remember(dir); err != nil {
		t.Fatal(err)
	}
	if f, err := Recall(dir); err != nil || !reflect.DeepEqual(f, want) {
		t.Errorf("%v %v", f, err)
	}
	if would, err := RecordedToClean(dir); err != nil || len(would) > 0 {
		t.Errorf("%q %v", would, err)
	}
	if removed, err := CleanRecorded(t.Context(), dir); err != nil || len(removed) > 0 {
		t.Errorf("%q %v", removed, err)
	}
	if f, err := Recall(dir); f != nil || err != nil {
		t.Errorf("after clean: %v %v", f, err)
	}
	if would, err := RecordedToClean(dir); err != nil || would != nil {
		t.Errorf("after clean: %q %v", would, err)
	}
}

// TestRun checks that programs are bounded, and their words without passwords.
func TestRun(t *testing.T) {
	_, err := run(t.Context(), "sh", "-c", "echo 'neighbor 192.0.2.1 password secret-word'; head -c 10000 /dev/zero | tr '\\0' 'x' >&2; exit 3")
	if err == nil || strings.Contains(err.Error(), "secret-word") || len(err.Error()) > 2*mostText || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := run(ctx, "sleep", "60"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := run(t.Context(), "/nothing/here"); err == nil {
		t.Error("a program that is not there is no error")
	}
}

// TestWithoutBGP: where FRR refuses and its bgpd does not run, the error says so.
func TestWithoutBGP(t *testing.T) {
	dir := t.TempDir()
	f := &FRR{Dir: dir, Run: dir, Reload: filepath.Join(dir, "reload")}
	if err := os.WriteFile(f.Reload, []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Loaded(t.Context()); err == nil || !strings.Contains(err.Error(), "bgpd=yes") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bgpd.vty"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Loaded(t.Context()); err == nil || strings.Contains(err.Error(), "bgpd=yes") {
		t.Errorf("%v", err)
	}
}
