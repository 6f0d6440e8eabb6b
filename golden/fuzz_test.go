package golden

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/ir"
)

// FuzzCompile feeds hostile manifests to the whole pipeline. Whatever they are,
// the program is valid, every backend emits it, and no object has written a
// rule: without their comments, the rules are those that are emitted without
// comments, and those consist of planec's words, addresses and numbers.
func FuzzCompile(f *testing.F) {
	inputs, err := filepath.Glob("cases/*/input.yaml")
	if err != nil || len(inputs) == 0 {
		f.Fatalf("no cases: %v", err)
	}
	for _, path := range inputs {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, _, err := manifest.Load(context.Background(), manifest.Options{Paths: []string{"-"}, Stdin: bytes.NewReader(data)})
		if err != nil {
			return
		}
		checkHostile(t, set)
	})
}

func checkHostile(t *testing.T, set objects.Set) {
	t.Helper()
	program, _ := compiler.Compile(compiler.Input{Objects: &set, Node: "node-a"})
	if err := ir.Verify(program); err != nil {
		t.Fatal(err)
	}
	plain := backends.DefaultOptions()
	plain.NoComments = true
	for i, b := range registry.All(backends.DefaultOptions()) {
		with, err := b.Emit(program)
		if err != nil {
			t.Fatal(err)
		}
		without, err := registry.All(plain)[i].Emit(program)
		if err != nil {
			t.Fatal(err)
		}
		if b.Name() == "ebpf" {
			checkImage(t, with, without)
			checkText(t, "ebpf/"+ebpf.PacketsFile, with.File(ebpf.PacketsFile), without.File(ebpf.PacketsFile))
			continue
		}
		for j, file := range with.Files {
			checkText(t, b.Name()+"/"+file.Name, file.Data, without.Files[j].Data)
		}
	}
}

var (
	// comments match what may differ between rules with and without comments.
	comments = []*regexp.Regexp{
		regexp.MustCompile(` -m comment --comment ("[ -!#-\[\]-~]*(\\.[ -!#-\[\]-~]*)*"|[!#-~]+)`),
		regexp.MustCompile(` comment "[ -!#-~]{0,255}"`),
	}
	// commentFlag makes room for comments in an ipset.
	commentFlag = regexp.MustCompile(`(?m)^(create [^"\n]*?) comment\b`)
	foreign     = regexp.MustCompile("[^a-zA-Z0-9_ \t\n.:;,@{}=!<>|^&*/\"+()\\[\\]#'-]")
)

func checkText(t *testing.T, name string, with, without []byte) {
	t.Helper()
	stripped := with
	for _, c := range comments {
		stripped = c.ReplaceAll(stripped, nil)
	}
	stripped = commentFlag.ReplaceAll(stripped, []byte("$1"))
	if !bytes.Equal(stripped, without) {
		t.Fatalf("%s: a comment is more than a comment: %d bytes without comments, %d when they are taken out", name, len(without), len(stripped))
	}
	if bad := foreign.Find(without); bad != nil {
		t.Fatalf("%s: a foreign character in the rules: %q", name, bad)
	}
}

// checkImage: names are in the symbols, which the digest of the maps leaves out.
func checkImage(t *testing.T, with, without backends.Artifact) {
	t.Helper()
	a, err := ebpf.Read(with.File(ebpf.ImageFile))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ebpf.Read(without.File(ebpf.ImageFile))
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest() != b.Digest() {
		t.Fatal("ebpf: names change the maps")
	}
	for line := range bytes.Lines(with.File(ebpf.TextFile)) {
		if i := bytes.IndexFunc(bytes.TrimSuffix(line, []byte("\n")), func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
			t.Fatalf("ebpf: a foreign character in the text: %q", line[i:])
		}
	}
}

// TestHostileObjects passes objects to the compiler that no loader has checked, as
// a user of the package might.
func TestHostileObjects(t *testing.T) {
	for _, evil := range []string{"a\"b", "x\n}\nflush ruleset", "$(reboot)", "\x00", "é", "@services", "{", "a b", string(bytes.Repeat([]byte("a"), 300))} {
		set := hostileSet(evil)
		checkHostile(t, set)
	}
}
