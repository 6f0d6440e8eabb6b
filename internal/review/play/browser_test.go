package play_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/internal/cli"
	"github.com/planec/planec/internal/testing/browser"
)

// program builds the compiler, once for all tests of a process.
func program(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("sh", "../../../scripts/wasm.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("building the compiler: %v\n%s", err, out)
	}
	return filepath.Join(dir, "planec.wasm.gz")
}

// line waits for the first line that a command prints.
type line struct {
	got  chan string
	text strings.Builder
	done bool
}

func (l *line) Write(p []byte) (int, error) {
	l.text.Write(p)
	if first, _, whole := strings.Cut(l.text.String(), "\n"); whole && !l.done {
		l.done = true
		l.got <- first
	}
	return len(p), nil
}

// serve runs `planec play` as users do, in a process of its own, and returns its URL.
func serve(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"play"}, args...)...)
	cmd.Env = append(os.Environ(), asPlanec+"=1")
	out := &line{got: make(chan string, 1)}
	var errs strings.Builder
	cmd.Stdout, cmd.Stderr = out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case url := <-out.got:
		t.Cleanup(func() {
			_ = cmd.Process.Signal(os.Interrupt)
			if err := <-ended; err != nil {
				t.Errorf("an interrupted planec play: %v\n%s", err, errs.String())
			}
		})
		return url
	case err := <-ended:
		t.Fatalf("planec play: %v\n%s", err, errs.String())
		return ""
	}
}

// asPlanec makes the test's binary planec.
const asPlanec = "PLANEC_PLAY_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asPlanec) != "" {
		os.Exit(cli.Run(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}
	os.Exit(m.Run())
}

// TestBrowser runs the compiler in a browser: one build and one page for all parts.
func TestBrowser(t *testing.T) {
	wasm := program(t)
	url := serve(t, "--wasm", wasm)
	b := browser.Open(t, url)
	t.Run("example", func(t *testing.T) { exampleInPage(t, b) })
	t.Run("golden", func(t *testing.T) { goldenInPage(t, b) })
	t.Run("keystroke", func(t *testing.T) { keystroke(t, b) })
	t.Run("broken", func(t *testing.T) { brokenInPage(t, b) })
	t.Run("superseded", func(t *testing.T) { superseded(t, b) })
	t.Run("console", func(t *testing.T) {
		if lines := b.Console(); len(lines) > 0 {
			t.Errorf("the page's console has %q", lines)
		}
	})
}

// goldenInPage wants the bytes of every artifact of every golden case, for all backends,
// to be those that this binary writes.
func goldenInPage(t *testing.T, b *browser.Browser) {
	cases, err := filepath.Glob("../../../golden/cases/*")
	if err != nil || len(cases) < 100 {
		t.Fatalf("%d golden cases, %v", len(cases), err)
	}
	artifacts := 0
	for _, dir := range cases {
		want := compiledHere(t, dir)
		artifacts += len(want)
		got := map[string]string{}
		b.Run(&got, `
			const [args, ...files] = arguments;
			const r = await planec.run(args, files, "");
			const sums = {};
			for (const f of r.written) {
				const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", f.data));
				sums[f.name] = [...digest].map((x) => x.toString(16).padStart(2, "0")).join("");
			}
			return r.code === 0 ? sums : {error: r.stderr};`,
			append(arguments(t, dir), "--out-dir=out"), file("input.yaml", text(t, dir, "input.yaml")), file("config.yaml", text(t, dir, "config.yaml")))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: digests here and in the page:\n%s", filepath.Base(dir), diff)
		}
	}
	t.Logf("%d cases, %d files", len(cases), artifacts)
}

// arguments are those that compile a case in its directory.
func arguments(t *testing.T, dir string) []string {
	t.Helper()
	args := []string{"compile", "-f", "input.yaml", "--backend=all", "--node=" + nodeOf(t, dir)}
	if text(t, dir, "config.yaml") != "" {
		args = append(args, "--config=config.yaml")
	}
	return args
}

func file(name, text string) map[string]string { return map[string]string{"name": name, "text": text} }

// compiledHere returns the digests of the files that this binary writes for a case, or the
// error under "error".
func compiledHere(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := t.TempDir()
	args := append(arguments(t, dir), "--out-dir="+out)
	back, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chdir(dir); err != nil { // images name their files
		t.Fatal(err)
	}
	defer func() {
		if err := os.Chdir(back); err != nil {
			t.Fatal(err)
		}
	}()
	var errs strings.Builder
	if code := cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &errs, Err: &errs}); code != 0 {
		return map[string]string{"error": errs.String()}
	}
	sums := make(map[string]string)
	if err := fs.WalkDir(os.DirFS(out), ".", func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(out, at))
		sum := sha256.Sum256(data)
		sums["out/"+at] = hex.EncodeToString(sum[:])
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return sums
}

var nodeLine = regexp.MustCompile(`(?m)^node: *(\S+)`)

// nodeOf is the node of a golden case.
func nodeOf(t *testing.T, dir string) string {
	t.Helper()
	m := nodeLine.FindStringSubmatch(text(t, dir, "flows.yaml"))
	if m == nil {
		t.Fatalf("%s: flows.yaml names no node", dir)
	}
	return strings.Trim(m[1], `"'`)
}

// text reads a file that may be missing.
func text(t testing.TB, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

// exampleInPage wants the page's document to be what `planec report --format json` writes.
func exampleInPage(t *testing.T, b *browser.Browser) {
	var got string
	const lastKey = `const {diagnostics, ...rest} = %s; return JSON.stringify({...rest, diagnostics})`
	b.Run(&got, fmt.Sprintf(lastKey, `await planec.compile({files: planec.files, settings: planec.settings})`))
	t.Chdir("../../../examples/shop")
	var out, errs strings.Builder
	if code := cli.Run([]string{"report", "--format=json", "--all-nodes", "-f", ".", "--config", "settings/node.yaml"}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != 0 {
		t.Fatalf("%d: %s", code, errs.String())
	}
	var here string
	b.Run(&here, fmt.Sprintf(lastKey, `JSON.parse(arguments[0])`), out.String())
	if here != got {
		at := 0
		for at < min(len(here), len(got)) && here[at] == got[at] {
			at++
		}
		t.Errorf("the document differs: here %.300q, in the page %.300q", here[max(0, at-100):], got[max(0, at-100):])
	}
}

// keystroke wants another document after a change, and says how long it took.
func keystroke(t *testing.T, b *browser.Browser) {
	var got struct {
		Times   []float64
		Changed int
	}
	b.Run(&got, `
		const times = [];
		let changed = 0, before = "";
		for (let i = 0; i < 25; i++) {
			const files = planec.files.map((f) => f.name !== "cart.yaml" ? f : {...f, text: f.text.replaceAll("port: 80", "port: " + (8000 + i))});
			const from = performance.now();
			const document = await planec.compile({files, settings: planec.settings});
			times.push(performance.now() - from);
			const now = JSON.stringify(document.nodes);
			if (now !== before) changed++;
			before = now;
		}
		return {times: times.sort((a, b) => a - b), changed};`)
	if got.Changed != 25 {
		t.Errorf("%d of 25 changes changed the document", got.Changed)
	}
	t.Logf("from a keystroke to the document, of %d: median %.0f ms, %.0f to %.0f ms", len(got.Times), got.Times[len(got.Times)/2], got.Times[0], got.Times[len(got.Times)-1])
}

// brokenInPage wants a change that cannot be read to be said, and the last document to
// stay.
func brokenInPage(t *testing.T, b *browser.Browser) {
	var got struct {
		Nodes       int
		Diagnostics []struct{ Severity, Code, File, Message, Hint string }
	}
	b.Run(&got, `
		const files = planec.files.map((f) => f.name !== "cart.yaml" ? f : {...f, text: f.text + "\n---\na: ["});
		const d = await planec.compile({files, settings: planec.settings});
		return {nodes: d.nodes.length, diagnostics: d.diagnostics}`)
	found := ""
	for _, d := range got.Diagnostics {
		found += fmt.Sprintf("%s %s %s: %s\n", d.Severity, d.Code, d.File, d.Message)
	}
	if got.Nodes != 2 || !strings.Contains(found, "error PLC0001 cart.yaml: broken YAML") {
		t.Errorf("%d nodes, diagnostics:\n%s", got.Nodes, found)
	}
}

// superseded wants many changes at once to give the last one's document to all that asked.
func superseded(t *testing.T, b *browser.Browser) {
	var got struct {
		Last, Same, Names int
		D                 any
	}
	b.Run(&got, `
		const service = (name) => "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + ", namespace: a}\nspec: {clusterIP: None}\n";
		const node = "---\napiVersion: v1\nkind: Node\nmetadata: {name: node-a}\n";
		const asked = [];
		for (let i = 0; i < 20; i++) asked.push(planec.compile({files: [{name: "a.yaml", text: service("s" + i) + node}], settings: ""}));
		const documents = await Promise.all(asked);
		const name = (d) => d.objects.find((o) => o.kind === "Service").name;
		return {
			last: Number(name(documents[19]).slice(1)), same: documents.filter((d) => d === documents[19]).length,
			names: new Set(documents.map(name)).size,
		}`)
	if got.Last != 19 || got.Same != 19 || got.Names != 2 {
		t.Errorf("the last is of change %d, %d answers are it, %d different ones", got.Last, got.Same, got.Names)
	}
}
