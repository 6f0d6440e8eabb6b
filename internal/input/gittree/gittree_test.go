package gittree_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/input/gittree"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]gittree.Source{
		"git:main:k8s":         {Revision: "main", Path: "k8s"},
		"git:origin/main:":     {Revision: "origin/main"},
		"git:HEAD~1:./a:b.yml": {Revision: "HEAD~1", Path: "./a:b.yml"},
	} {
		if got, ok, err := gittree.Parse(in); got != want || !ok || err != nil {
			t.Errorf("%s: %+v, %v, %v", in, got, ok, err)
		}
	}
	for _, in := range []string{"git:main", "git::k8s", "git:-x:k8s", "git:--output=f:k8s"} {
		if _, ok, err := gittree.Parse(in); !ok || err == nil {
			t.Errorf("%s is accepted", in)
		}
	}
	if _, ok, err := gittree.Parse("manifests"); ok || err != nil {
		t.Errorf("a path is taken for a revision: %v", err)
	}
}

// run runs git in a directory, without the settings of any user.
func run(t *testing.T, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestHostileTree copies a tree that no working tree could have: links, a
// submodule, names that look like options or lead elsewhere, and attributes that
// name a filter.
func TestHostileTree(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not there")
	}
	repo := t.TempDir()
	run(t, repo, "", "init", "-q")
	blob := run(t, repo, "kind: Service\n", "hash-object", "-w", "--stdin")
	link := run(t, repo, "/etc/passwd", "hash-object", "-w", "--stdin")
	attributes := run(t, repo, "* filter=evil export-ignore\n", "hash-object", "-w", "--stdin")
	run(t, repo, "", "config", "filter.evil.smudge", "touch "+filepath.Join(repo, "evil"))
	up := run(t, repo, "100644 blob "+blob+"\tescaped.yaml\x00", "mktree", "-z")
	tree := run(t, repo, strings.Join([]string{
		"100644 blob " + blob + "\t--output=x.yaml", "100644 blob " + blob + "\ta\nb.yaml", "100644 blob " + blob + "\t'quoted\".yaml",
		"100755 blob " + blob + "\tplain.yaml", "120000 blob " + link + "\tlink.yaml", "100644 blob " + blob + "\tback\\slash.yaml",
		"160000 commit " + strings.Repeat("1", len(blob)) + "\tmodule", "100644 blob " + attributes + "\t.gitattributes", "040000 tree " + up + "\tdeep", "040000 tree " + up + "\t..",
	}, "\x00")+"\x00", "mktree", "-z", "--missing")
	commit := run(t, repo, "message", "commit-tree", tree)
	t.Chdir(repo)
	dir := t.TempDir()
	root, err := gittree.Copy(t.Context(), gittree.Source{Revision: commit}, dir, func(name string) bool { return strings.HasSuffix(name, ".yaml") })
	if err != nil || root != "" {
		t.Fatalf("%q, %v", root, err)
	}
	var got []string
	err = filepath.WalkDir(dir, func(at string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, at)
			got = append(got, filepath.ToSlash(rel))
			if data, err := os.ReadFile(at); err != nil || string(data) != "kind: Service\n" {
				t.Errorf("%s: %q, %v", at, data, err)
			}
		}
		return err
	})
	slices.Sort(got)
	if want := []string{"'quoted\".yaml", "--output=x.yaml", "a\nb.yaml", "deep/escaped.yaml", "plain.yaml"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	for _, at := range []string{filepath.Join(filepath.Dir(dir), "escaped.yaml"), "evil", "x.yaml"} {
		if _, err := os.Lstat(at); err == nil {
			t.Errorf("%s was made", at)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) != 1 {
		t.Errorf("the working tree is not as it was: %v, %v", left, err)
	}
}

// TestLinks wants links to files of the revision to be these files, as they are in a
// working tree, and a link that is named to be what it leads to; others are left out.
func TestLinks(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not there")
	}
	repo := t.TempDir()
	run(t, repo, "", "init", "-q")
	for name, text := range map[string]string{"base/a.yaml": "a", "base/deep/b.yaml": "b", "w/own.yaml": "own"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(repo, filepath.Dir(name)), 0o700), os.WriteFile(filepath.Join(repo, name), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"w/file.yaml": "../base/a.yaml", "w/twice.yaml": "file.yaml", "w/through.yaml": "../lm/deep/b.yaml", "w/dir": "../base", "lm": "base",
		"w/absolute.yaml": "/etc/hostname", "w/out.yaml": "../../x.yaml", "w/nowhere.yaml": "nothing", "w/circle.yaml": "circle.yaml", "only": "w/file.yaml", "base/top": "..",
	} {
		if err := os.Symlink(to, filepath.Join(repo, name)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, repo, "", "add", ".")
	run(t, repo, "", "commit", "-qm", "one")
	t.Chdir(repo)
	for path, want := range map[string]string{
		"w":          "w/file.yaml=a w/own.yaml=own w/through.yaml=b w/twice.yaml=a",
		"lm":         "lm/a.yaml=a lm/deep/b.yaml=b",
		"lm/deep":    "lm/deep/b.yaml=b",
		"only":       "only=a",
		"base/top/w": "base/top/w/file.yaml=a base/top/w/own.yaml=own base/top/w/through.yaml=b base/top/w/twice.yaml=a",
		"base/top":   "base/top/base/a.yaml=a base/top/base/deep/b.yaml=b base/top/only=a base/top/w/file.yaml=a base/top/w/own.yaml=own base/top/w/through.yaml=b base/top/w/twice.yaml=a",
		"base":       "base/a.yaml=a base/deep/b.yaml=b",
	} {
		dir := t.TempDir()
		root, err := gittree.Copy(t.Context(), gittree.Source{Revision: "HEAD", Path: path}, dir, func(string) bool { return true })
		if err != nil || root != path {
			t.Errorf("%s: %q, %v", path, root, err)
		}
		var got []string
		err = filepath.WalkDir(dir, func(at string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				rel, _ := filepath.Rel(dir, at)
				text, _ := os.ReadFile(at)
				got = append(got, filepath.ToSlash(rel)+"="+string(text))
			}
			return err
		})
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
	if _, err := gittree.Copy(t.Context(), gittree.Source{Revision: "HEAD", Path: "w/out.yaml"}, t.TempDir(), func(string) bool { return true }); !errors.Is(err, gittree.ErrNoFiles) {
		t.Errorf("a link out of the repository: %v", err)
	}
}
