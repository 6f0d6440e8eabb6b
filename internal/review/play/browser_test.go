package play_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/planec/planec/internal/cli"
	"github.com/planec/planec/internal/testing/browser"
)

// TestBrowser runs the compiler in a browser.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: no compiler is built and no browser started")
	}
	dir := compiler(t)
	smallEnough(t, filepath.Join(dir, "planec.wasm.gz"))
	cases, err := json.Marshal(goldenCases(t))
	if err != nil {
		t.Fatal(err)
	}
	example := planec(t, "../../../examples/shop", "report", "--format=json", "--all-nodes", "-f", ".", "--config=settings/node.yaml")
	folder := filepath.Join(dir, "folder")
	if made := planec(t, ".", "play", "--wasm", filepath.Join(dir, "planec.wasm.gz"), "--write", folder); made.code != 0 {
		t.Fatal(made.stderr)
	}
	static := httptest.NewServer(http.FileServer(http.Dir(folder)))
	defer static.Close()
	env := []string{"PLAY_STATIC=" + static.URL + "/", "PLAY_URL=" + serve(t, "--wasm", filepath.Join(dir, "planec.wasm.gz"))}
	for name, data := range map[string]string{"CASES": string(cases), "EXAMPLE": example.stdout} {
		at := filepath.Join(dir, name)
		if err := os.WriteFile(at, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		env = append(env, "PLAY_"+name+"="+at)
	}
	browser.Run(t, "browser/play.test.js", env...)
}

// BenchmarkKeystroke prints how long a key takes in the page, from its event to the painted
// page of its rules. It measures no loop of its own.
func BenchmarkKeystroke(b *testing.B) {
	if testing.Short() {
		b.Skip("-short: no compiler is built and no browser started")
	}
	browser.Run(b, "browser/speed.test.js", "PLAY_URL="+serve(b, "--wasm", filepath.Join(compiler(b), "planec.wasm.gz")))
}

// compiler builds the compiler for web pages and returns its directory.
func compiler(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("sh", "../../../scripts/wasm.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("building the compiler: %v\n%s", err, out)
	}
	return dir
}

// maxProgram bounds the compressed compiler, in bytes, so that no one doubles it by an
// import: html/template alone does.
const maxProgram = 8 << 20

func smallEnough(t *testing.T, program string) {
	t.Helper()
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the compiler has %.1f MB, compressed", float64(info.Size())/1e6)
	if info.Size() > maxProgram {
		t.Errorf("the compiler has %d bytes, compressed, and %d at most: which import makes it larger?", info.Size(), maxProgram)
	}
}

// answer is what a command line of this binary gives.
type answer struct {
	code           int
	stdout, stderr string
}

// planec runs a command line in a directory.
func planec(t *testing.T, dir string, args ...string) answer {
	t.Helper()
	back, err := os.Getwd()
	if err == nil {
		err = os.Chdir(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.Chdir(back); err != nil {
			t.Fatal(err)
		}
	}()
	var out, errs strings.Builder
	code := cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	return answer{code, out.String(), errs.String()}
}

// goldenCase is a command line with what this binary makes of it.
type goldenCase struct {
	Name    string              `json:"name"`
	Args    []string            `json:"args"`
	Files   []map[string]string `json:"files"`
	Code    int                 `json:"code"`
	Stderr  string              `json:"stderr"`
	Digests map[string]string   `json:"digests"` // SHA-256 by file
}

var nodeLine = regexp.MustCompile(`(?m)^node: *(\S+)`)

// goldenCases compiles all golden cases for all backends.
func goldenCases(t *testing.T) (all []goldenCase) {
	t.Helper()
	dirs, err := filepath.Glob("../../../golden/cases/*")
	if err != nil || len(dirs) < 100 {
		t.Fatalf("%d golden cases, %v", len(dirs), err)
	}
	for _, dir := range dirs {
		node := nodeLine.FindStringSubmatch(text(t, dir, "flows.yaml"))
		if node == nil {
			t.Fatalf("%s: flows.yaml names no node", dir)
		}
		c := goldenCase{Name: filepath.Base(dir), Args: []string{"compile", "-f", "input.yaml", "--backend=all", "--node=" + strings.Trim(node[1], `"'`)}}
		for _, name := range []string{"input.yaml", "config.yaml"} {
			if text := text(t, dir, name); text != "" {
				c.Files = append(c.Files, map[string]string{"name": name, "text": text})
			}
		}
		if len(c.Files) > 1 {
			c.Args = append(c.Args, "--config=config.yaml")
		}
		out := t.TempDir()
		made := planec(t, dir, append(c.Args, "--out-dir="+out)...)
		c.Code, c.Stderr, c.Digests = made.code, made.stderr, digests(t, out)
		c.Args = append(c.Args, "--out-dir=out")
		all = append(all, c)
	}
	return all
}

// digests are those of the files below a directory.
func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := make(map[string]string)
	if err := fs.WalkDir(os.DirFS(dir), ".", func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, at))
		sum := sha256.Sum256(data)
		sums["out/"+at] = hex.EncodeToString(sum[:])
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return sums
}

// text reads a file that may be missing.
func text(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}
