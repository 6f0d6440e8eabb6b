package play

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/report"
)

// wasm is a program that says its version as the Go toolchain writes it.
func wasm(t *testing.T, version string) Program {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, "\x00asm....path\tgithub.com/planec/planec/cmd/planec-wasm\nmod\tgithub.com/planec/planec\t"+version+"\t\nbuild...")
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return Program{Wasm: b.Bytes(), Exec: []byte("// runs it")}
}

func assets(t *testing.T, files ...File) []Asset {
	t.Helper()
	all, err := Assets(Input{Report: report.Input{Objects: &objects.Set{}}, Files: files, Program: wasm(t, "v1")})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestVersion(t *testing.T) {
	if got, err := wasm(t, "v1.2.3-0.2026+dirty").Version(); got != "v1.2.3-0.2026+dirty" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for name, p := range map[string]Program{
		"nothing":        {},
		"not compressed": {Wasm: []byte("\x00asm\nmod\tgithub.com/planec/planec\tv1\t\n")},
		"cut off":        {Wasm: wasm(t, "v1").Wasm[:40]},
		"without end":    wasm(t, strings.Repeat("v", 1000)),
	} {
		if got, err := p.Version(); err == nil {
			t.Errorf("%s: version %q", name, got)
		}
	}
}

// TestText wants manifests in the page as data, whatever is in them.
func TestText(t *testing.T) {
	hostile := "</script><script>alert(1)</script>\u2028`${x}`"
	for _, a := range assets(t, File{Name: hostile, Text: hostile}) {
		if strings.HasSuffix(a.Name, ".gz") {
			continue
		}
		if text := string(a.Data); strings.Contains(text, "alert(1)</script>") || strings.Contains(text, "\u2028") {
			t.Errorf("%s has text of a manifest as it is", a.Name)
		}
	}
}

// TestSecrets wants no Secret in a page: folders are published.
func TestSecrets(t *testing.T) {
	const manifest = "kind: Secret\nstringData: {key: hush}\n---\nkind: Service\n"
	input := string(assets(t, File{Name: "a.yaml", Text: manifest})[1].Data)
	if strings.Contains(input, "hush") || !strings.Contains(input, "kind: Service") {
		t.Errorf("the page starts with %s", input)
	}
}

// TestPolicy wants the page to load its engine, and to be allowed nothing else.
func TestPolicy(t *testing.T) {
	page := string(assets(t)[0].Data)
	for _, want := range []string{`<script src="input.js"></script>`, `<script src="play.js"></script>`, "wasm-unsafe-eval", "default-src &#39;none&#39;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestHandler(t *testing.T) {
	local, remote := NewHandler(assets(t), "secret", false), NewHandler(assets(t), "secret", true)
	for _, c := range []struct {
		h                  *Handler
		method, host, path string
		want               int
	}{
		{local, "GET", "127.0.0.1:8080", "/secret/", http.StatusOK},
		{local, "HEAD", "localhost:8080", "/secret/index.html", http.StatusOK},
		{local, "GET", "[::1]:8080", "/secret/worker.js", http.StatusOK},
		{local, "GET", "[::ffff:127.0.0.1]", "/secret/planec.wasm.gz", http.StatusOK},
		{local, "GET", "evil.example:8080", "/secret/", http.StatusMisdirectedRequest},
		{local, "GET", "localhost.evil.example", "/secret/", http.StatusMisdirectedRequest},
		{local, "GET", "127.0.0.1.evil.example:80", "/secret/", http.StatusMisdirectedRequest},
		{local, "GET", "192.0.2.1:8080", "/secret/", http.StatusMisdirectedRequest},
		{local, "GET", "", "/secret/", http.StatusMisdirectedRequest},
		{remote, "GET", "192.0.2.1:8080", "/secret/", http.StatusOK},
		{remote, "GET", "evil.example:8080", "/secret/", http.StatusMisdirectedRequest},
		{local, "POST", "127.0.0.1", "/secret/", http.StatusMethodNotAllowed},
		{local, "GET", "127.0.0.1", "/", http.StatusNotFound},
		{local, "GET", "127.0.0.1", "/index.html", http.StatusNotFound},
		{local, "GET", "127.0.0.1", "/other/index.html", http.StatusNotFound},
		{local, "GET", "127.0.0.1", "/secret/../secret/", http.StatusNotFound},
		{local, "GET", "127.0.0.1", "/secret/page/play.js", http.StatusNotFound},
	} {
		r := httptest.NewRequest(c.method, "http://127.0.0.1/", nil)
		r.Host, r.URL.Path = c.host, c.path
		w := httptest.NewRecorder()
		c.h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %s of host %q: %d, want %d", c.method, c.path, c.host, w.Code, c.want)
		}
		if got := w.Header().Get("Content-Security-Policy"); w.Code == http.StatusOK && !strings.Contains(got, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", c.path, got)
		}
	}
}

func TestListen(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:0": true, "localhost:0": true, "0.0.0.0:0": false, ":0": false, "127.0.0.1": false} {
		s, err := Listen(address, false, assets(t))
		if (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
		if err == nil {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestWrite writes a playground over an earlier one, and over nothing else.
func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "public")
	for _, name := range []string{"first.yaml", "second.yaml"} {
		page, err := Write(dir, assets(t, File{Name: name}))
		if err != nil || page != filepath.Join(dir, "index.html") {
			t.Fatalf("%s: %q, %v", name, page, err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "input.js")); err != nil || !bytes.Contains(got, []byte(name)) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != len(assets(t))+1 {
		t.Errorf("%d files, %v", len(list), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "play.js"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "play.js")
}

func refused(t *testing.T, dir, file string) {
	t.Helper()
	before, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Write(dir, assets(t)); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("writing over %s: %v", file, err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, file)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("%s is changed: %v", file, err)
	}
}

func TestWriteOverForeignFiles(t *testing.T) {
	for _, name := range []string{"index.html", "SHA256SUMS"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, name)
	}
	dir, target := t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(target, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, filepath.Join(dir, "index.html")); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "index.html")
}
