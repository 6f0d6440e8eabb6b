package manifest

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/internal/testing/clustergen"
)

// libraryJSON is what the library makes of a text that is one value, or a list of one.
func libraryJSON(text []byte, item bool) (string, *yaml.Node, error) {
	nodes, err := yamlNodes(text)
	if err != nil || len(nodes) != 1 {
		return "", nil, err
	}
	n := nodes[0]
	if item {
		if n.Kind != yaml.SequenceNode || len(n.Content) != 1 {
			return "", nil, nil
		}
		n = n.Content[0]
	}
	e := expansion{lastCounts: true}
	err = e.value(n)
	return string(e.out), n, err
}

// comparePlain wants the library to read a text that is plain as plainJSON does, from the same line. It
// reports whether the text is plain.
func comparePlain(t *testing.T, text []byte, item bool) bool {
	t.Helper()
	got, ok := plainJSON(text, item)
	if !ok {
		return false
	}
	if twice, _ := jsonProblem(got, nil); twice != nil {
		return true // the library reads such an object for its findings
	}
	want, n, err := libraryJSON(text, item)
	if err != nil || want != string(got) {
		t.Fatalf("%q\nlibrary: %s %v\nplain:   %s", text, want, err, got)
	}
	if n.Line != 1+linesBefore(text) {
		t.Fatalf("%q\nlibrary: line %d\nplain:   line %d", text, n.Line, 1+linesBefore(text))
	}
	return true
}

// documents are the texts between separators of the YAML files below some directories, and the
// generated cluster as documents.
func yamlTexts(t testing.TB) (texts []string) {
	t.Helper()
	for _, dir := range []string{"examples", "golden", "deploy"} {
		err := filepath.WalkDir(filepath.Join("..", "..", "..", dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			text, err := os.ReadFile(path)
			texts = append(texts, strings.Split(string(text), "---\n")...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := clustergen.YAML(&b, clustergen.Size{Services: 20, Endpoints: 3}); err != nil {
		t.Fatal(err)
	}
	list, _, _ := strings.Cut(b.String(), "\nkind: List")
	for i, text := range strings.Split(list, "\n- ") {
		if i > 0 {
			texts = append(texts, "- "+text+"\n")
		}
	}
	return texts
}

// oddLines are inserted into texts: each is something that plainJSON must refuse, or read as the
// library does.
func oddLines() []string {
	return []string{
		"a: b: c", "a: b #c", "a: b#c", "a:b", "a :b", "a: :b", "a: b:", "- a", "-a", "- - a", "-", "- ", "a: - b", "a: |", "a: |-", "a: |+", "a: >-", "  text", "    text",
		"a: \"b\"", "a: 'b'", "a: 'it''s'", "a: \"b\\n\"", "a: \"b\" c", "\"a\": b", "'a': b", "a: \"b", "a: 010", "a: 0x1f", "a: 1e3", "a: 1_000", "a: .5", "a: 5.", "a: -1", "a: +1", "a: 12e", "a: 1.2.3",
		"a: 10:30", "a: 2024-01-01", "a: 2024-01-01T10:00:00Z", "a: 123456789012345678901", "a: yes", "a: True", "a: ~", "a: Null", "yes: a", "on: a", "null: a", "a: {}", "a: []", "a: {b: c}", "a: [b, c]", "a: *b",
		"a: &b c", "a: !!str 1", "? a", "<<: {a: b}", "a: %b", "a: @b", "a: `b", "a: ,b", "a: b,c", "a: [", "a: b]", "#c", "   # c", "", "  ", "\t", "a:\tb", "a: b\t", "a: b ", "a: \u00e9", "a: \u2028", "\ufeffa: b",
		"a: b\r", "---", "--- a", "...", "%YAML 1.1", "a: 100m", "a: 80%", "a: 5Gi", "a: 1f", "a: 0b1", "a: 0o7", "a: fd00::1", "a: ::1", "a: 10.1.0.0/16", "a: NaN", "a: .nan", "a: Infinity", "1: a", "a.b/c: d", "a: /x", "a: _x",
		"- a: b", "-  a: b", "- |", "- \"a\"", "- {}", "- a:", "- a: |", "- 1", "- true", "- null", "- ~", "- a: b: c", "-   - a",
	}
}

// TestPlainYAML changes the YAML files of the project at random places: what is plain is read as the
// library reads it. Of what kubectl prints all is plain.
func TestPlainYAML(t *testing.T) {
	r, texts, odd := rand.New(rand.NewPCG(1, 2)), yamlTexts(t), oddLines()
	plain, changed, items, itemsPlain := 0, 0, 0, 0
	for _, text := range texts {
		item := strings.HasPrefix(text, "- ")
		if item {
			items++
		}
		if !comparePlain(t, []byte(text), item) {
			continue
		}
		if plain++; item {
			itemsPlain++
		}
		for range 200 {
			if comparePlain(t, mutate(r, text, odd), item) {
				changed++
			}
		}
	}
	for _, a := range odd { // all pairs, below a field
		for _, b := range odd {
			for _, form := range []string{"k:\n  %a\n  %b\nz: 1\n", "k:\n- %a\n  %b\n- x\n", "%a\n%b\n", "k: v\n%a\n  %b"} {
				comparePlain(t, []byte(strings.NewReplacer("%a", a, "%b", b).Replace(form)), false)
			}
		}
	}
	t.Logf("%d of %d texts are plain, and %d changed ones", plain, len(texts), changed)
	if itemsPlain != items || items == 0 || changed < 1000 {
		t.Errorf("%d of %d items are plain, %d changed texts", itemsPlain, items, changed)
	}
}

// mutate changes a text at one or two random places.
func mutate(r *rand.Rand, text string, odd []string) []byte {
	lines := strings.Split(text, "\n")
	for range 1 + r.IntN(2) {
		at := r.IntN(len(lines))
		line := lines[at]
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		switch r.IntN(7) {
		case 0:
			lines[at] = indent + odd[r.IntN(len(odd))]
		case 1:
			lines[at] = line + "\n" + indent + odd[r.IntN(len(odd))]
		case 2:
			lines[at] = " " + line
		case 3:
			lines[at] = strings.TrimPrefix(line, " ")
		case 4:
			lines[at] = line + "\n" + indent + "  " + odd[r.IntN(len(odd))]
		case 5:
			if key, _, found := strings.Cut(line, ":"); found {
				_, value, _ := strings.Cut(odd[r.IntN(len(odd))], ":")
				lines[at] = key + ":" + value
			}
		case 6:
			if i := r.IntN(len(line) + 1); len(line) > 0 {
				lines[at] = line[:i] + string(rune(32+r.IntN(96))) + line[i:]
			}
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// FuzzPlainYAML wants every text that is plain to be read as the library reads it.
func FuzzPlainYAML(f *testing.F) {
	for _, text := range yamlTexts(f)[:50] {
		f.Add(text)
	}
	for _, line := range oddLines() {
		f.Add("k:\n  " + line + "\n- a\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		comparePlain(t, []byte(text), false)
		comparePlain(t, []byte(text), true)
	})
}
