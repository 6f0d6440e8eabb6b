package cli_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docCommand is a command that a document shows, with what it prints.
type docCommand struct {
	file   string // as seen from the repository's top
	line   int
	text   string // as it is written, with all lines of a here-document
	output string // what the document shows below it; empty if it shows nothing
}

// programs are the first words of lines that are commands.
var programs = []string{
	"planec", "planec-agent", "go", "make", "git", "kubectl", "helm", "kustomize", "nft", "ip", "iptables-restore", "ipset", "ipvsadm",
	"sysctl", "unshare", "sudo", "sed", "cat", "cp", "mkdir", "mv", "rm", "cd", "for", "diff", "sleep", "kill", "wait", "sh", "source",
}

// hereDocument finds the word that ends a here-document.
var hereDocument = regexp.MustCompile(`<<'?([A-Z]+)'?`)

// documents returns all documents of the repository, as seen from its top.
func documents(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(topOfRepository, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		switch {
		case entry.IsDir() && path != topOfRepository && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules"):
			return filepath.SkipDir
		case !entry.IsDir() && filepath.Ext(name) == ".md":
			rel, err := filepath.Rel(topOfRepository, path)
			out = append(out, filepath.ToSlash(rel))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const topOfRepository = "../.."

// docText reads a document, given as seen from the repository's top.
func docText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(topOfRepository, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is a piece of code in a document.
type block struct {
	line  int // of its first line
	lines []string
}

// blocks returns the fenced and the indented pieces of code.
func blocks(text string) []block {
	var out []block
	var now *block
	fenced, blank := false, true
	for i, l := range strings.Split(text, "\n") {
		fence := strings.HasPrefix(strings.TrimSpace(l), "```")
		code, indented := strings.CutPrefix(l, "    ")
		switch {
		case fence:
			fenced = !fenced
			now = nil
			if fenced {
				out = append(out, block{line: i + 2})
				now = &out[len(out)-1]
			}
		case fenced:
			now.lines = append(now.lines, l)
		case indented && (now != nil || blank):
			if now == nil {
				out = append(out, block{line: i + 1})
				now = &out[len(out)-1]
			}
			now.lines = append(now.lines, code)
		case strings.TrimSpace(l) == "" && now != nil:
			now.lines = append(now.lines, "")
		default:
			now = nil
		}
		blank = strings.TrimSpace(l) == ""
	}
	return out
}

// commands returns the commands of a document in order.
func commands(file, text string) []docCommand {
	var out []docCommand
	for _, b := range blocks(text) {
		first := len(out)
		for i := 0; i < len(b.lines); i++ {
			word, _, _ := strings.Cut(b.lines[i], " ")
			if !slices.Contains(programs, word) {
				if len(out) > first && !strings.HasPrefix(b.lines[i], "# ") {
					out[len(out)-1].output += b.lines[i] + "\n"
				}
				continue
			}
			n := length(b.lines[i:])
			out = append(out, docCommand{file: file, line: b.line + i, text: strings.Join(b.lines[i:i+n], "\n")})
			i += n - 1
		}
	}
	for i := range out {
		out[i].output = strings.TrimSpace(out[i].output)
	}
	return out
}

// length returns how many lines the command on the first one has.
func length(lines []string) int {
	n := 1
	for n < len(lines) && strings.HasSuffix(lines[n-1], `\`) {
		n++
	}
	end := ""
	if m := hereDocument.FindStringSubmatch(lines[n-1]); m != nil {
		end = m[1]
	} else if strings.HasPrefix(lines[0], "for ") && !strings.Contains(lines[0], "done") {
		end = "done"
	}
	if end == "" {
		return n
	}
	for ; n < len(lines); n++ {
		if lines[n] == end {
			return n + 1
		}
	}
	return n
}

func TestDocumentReader(t *testing.T) {
	text := "Words:\n\n    planec lint \\\n      -f a\n    0 errors\n\n    more\n\nWords.\n\n```sh\ncat > a <<'EOF'\nplanec\nEOF\n```\n\n    key: value\n    planec test a    # yes\n"
	var got []string
	for _, c := range commands("a.md", text) {
		got = append(got, c.text+"|"+c.output)
	}
	want := []string{"planec lint \\\n  -f a|0 errors\n\nmore", "cat > a <<'EOF'\nplanec\nEOF|", "planec test a    # yes|"}
	if !slices.Equal(got, want) {
		t.Errorf("commands\n%q, want\n%q", got, want)
	}
}
