package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReplaceFile writes over files, links, pipes and directories.
func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	holds := func(name, want string) {
		t.Helper()
		if got, err := os.ReadFile(at(name)); err != nil || string(got) != want {
			t.Errorf("%s has %q, %v, want %q", name, got, err, want)
		}
	}
	must(replaceFile(at("new"), text("1")))
	holds("new", "1")
	must(os.WriteFile(at("old"), []byte("was"), 0o600))
	must(os.Link(at("old"), at("same")))
	must(replaceFile(at("old"), text("is")))
	holds("old", "is")
	holds("same", "was") // a file of its own: another name of the old one keeps it
	if info, err := os.Stat(at("old")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the rights became %v, %v", info.Mode(), err)
	}
	fails := errors.New("a disk that is full")
	if err := replaceFile(at("old"), func(w io.Writer) error { io.WriteString(w, "half"); return fails }); !errors.Is(err, fails) {
		t.Errorf("a write that fails: %v", err)
	}
	holds("old", "is")
	must(os.Symlink("old", at("link")))
	must(os.Symlink("nothing-yet", at("dangling")))
	for _, name := range []string{"link", "dangling"} {
		if err := replaceFile(at(name), text("2")); err == nil || exitCode(err) != exitInput || !strings.Contains(err.Error(), "is a link") {
			t.Errorf("%s: %v", name, err)
		}
	}
	holds("old", "is")
	if err := replaceFile(dir, text("2")); exitCode(err) != exitInput {
		t.Errorf("a directory: %v", err)
	}
	must(replaceFile("/dev/null", text("2")))
	must(syscall.Mkfifo(at("pipe"), 0o600))
	read := make(chan string)
	go func() {
		got, _ := os.ReadFile(at("pipe"))
		read <- string(got)
	}()
	must(replaceFile(at("pipe"), text("3")))
	if got := <-read; got != "3" {
		t.Errorf("%q went through the pipe", got)
	}
	left, err := filepath.Glob(at(".planec-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// TestReportIntoLink: a link in a directory does not choose which file is written over.
func TestReportIntoLink(t *testing.T) {
	dir := t.TempDir()
	victim, link := filepath.Join(dir, "victim"), filepath.Join(dir, "page.html")
	if err := errors.Join(os.WriteFile(victim, []byte("precious"), 0o600), os.Symlink(victim, link)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"report", "-f", manyNodes(t, 1), "-o", link}, {"lint", "-f", manyNodes(t, 1), "--write-baseline", link},
	} {
		var out, errs strings.Builder
		code := Run(args, Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		if got, err := os.ReadFile(victim); code != exitInput || err != nil || string(got) != "precious" {
			t.Errorf("%v: exit %d, %q, %v: %s", args, code, got, err, errs.String())
		}
	}
}
