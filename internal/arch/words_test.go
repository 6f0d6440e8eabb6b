package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// riddles are words that leave the reader to find out who is meant.
var riddles = regexp.MustCompile(`\b([Ss]omebody|[Nn]obody|[Ww]hoever|of ours)\b`)

// TestRiddles wants comments and documents to name who acts.
func TestRiddles(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if name != ".." && strings.HasPrefix(name, ".") || name == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if ext := filepath.Ext(name); ext != ".go" && ext != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			if _, comment, found := strings.Cut(line, "//"); filepath.Ext(name) == ".go" {
				if line = comment; !found {
					continue
				}
			}
			if word := riddles.FindString(line); word != "" && name != "words_test.go" {
				t.Errorf("%s:%d: %q: say who", path, i+1, word)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
