package kustomize

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// overlay is a base with an overlay that changes names, labels and one object.
var overlay = map[string]string{
	"base/kustomization.yaml": "resources: [app.yaml]\n",
	"base/app.yaml": "# the app\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n" +
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {selector: {app: db}, ports: [{port: 81}]}\n",
	"prod/kustomization.yaml": "resources: [../base, deny.yaml]\nnamespace: prod\nnamePrefix: p-\nlabels: [{pairs: {tier: front}, includeSelectors: true}]\npatches: [{path: gone.yaml}]\nconfigMapGenerator: [{name: c, literals: [url=https://example.org/x]}]\n",
	"prod/deny.yaml":          "\n\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: front}\nspec: {podSelector: {}}\n",
	"prod/gone.yaml":          "$patch: delete\napiVersion: v1\nkind: Service\nmetadata: {name: db}\n",
}

// TestBuild wants what kustomize makes, with the places where it was written.
func TestBuild(t *testing.T) {
	dir := write(t, overlay)
	list, err := Build(filepath.Join(dir, "prod"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range list {
		rel, _ := filepath.Rel(dir, o.File)
		var built struct {
			Metadata struct{ Name, Namespace string }
		}
		if err := json.Unmarshal(o.Text, &built); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s:%d name: %s", filepath.ToSlash(rel), o.Line, built.Metadata.Name))
		if text := strings.TrimSpace(string(o.Text)); strings.Contains(text, "config.kubernetes.io") || strings.Contains(text, "\n") || built.Metadata.Namespace != "prod" {
			t.Errorf("%s", o.Text)
		}
	}
	want := []string{"base/app.yaml:2 name: p-web", "prod/deny.yaml:3 name: p-front", "prod/kustomization.yaml:1 name: p-c-"}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}

// TestRefused wants what is remote, missing or hostile to be an error that names it.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"resources: [https://example.org/all.yaml]\n":                         "is remote",
		"resources: [\"github.com/a/b?ref=main\"]\n":                          "is remote",
		"resources: [git@example.org:a/b]\n":                                  "is remote",
		"components: [nowhere]\n":                                             "no such file",
		"resources: [../../../../../../../../etc/hostname]\n":                 "",
		"resources: [.]\n":                                                    "",
		"configMapGenerator: [{name: c, files: [a=https://example.org/x]}]\n": "is remote",
		"helmCharts: [{name: c, repo: https://example.org}]\n":                "is remote",
		"resources: {a: 1}\n":                                                 "",
		"- 1\n":                                                               "",
		"a: [\n":                                                              "",
	} {
		dir := write(t, map[string]string{"kustomization.yaml": text})
		if list, err := Build(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", text, list, err)
		}
	}
	if _, err := Build(t.TempDir()); !errors.Is(err, ErrNone) {
		t.Errorf("%v", err)
	}
}

// TestFetchesNothing wants every way to something remote to be refused before git or an
// HTTP client is asked; both would show: git by a file, HTTP by a request.
func TestFetchesNothing(t *testing.T) {
	asked := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked <- r.URL.String() }))
	defer server.Close()
	bin := write(t, map[string]string{"git": "#!/bin/sh\n: > \"$0.asked\"\nexit 1\n"})
	if err := os.Chmod(filepath.Join(bin, "git"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	plugin := "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: " + server.URL + "/p.yaml\n"
	for name, files := range map[string]map[string]string{
		"transformer":         {"kustomization.yaml": "transformers: [github.com/a/b]\n"},
		"generator":           {"kustomization.yaml": "generators: [\"GitHub.com:a/b//c\"]\n"},
		"validator":           {"kustomization.yaml": "validators: [\"who@example.invalid:a/b\"]\n"},
		"forced":              {"kustomization.yaml": "transformers: [\"git::https://example.invalid/a/b\"]\n"},
		"another case":        {"kustomization.yaml": "Resources: [" + server.URL + "/all.yaml]\n"},
		"a line's end":        {"kustomization.yaml": "resources: [\"" + server.URL + "/a\\n/b.yaml\"]\n"},
		"beside a directory":  {"kustomization.yaml": "resources: [github.com/a/b]\n", "github.com/a/b/kustomization.yaml": "resources: []\n"},
		"a transformer's own": {"kustomization.yaml": "transformers: [t]\n", "t/kustomization.yaml": "resources: [" + server.URL + "/all.yaml]\n"},
		"inline plugin":       {"kustomization.yaml": "transformers:\n- |\n  " + strings.ReplaceAll(plugin, "\n", "\n  ") + "\n"},
		"plugin in a file":    {"kustomization.yaml": "resources: [s.yaml]\ntransformers: [t.yaml]\n", "t.yaml": plugin, "s.yaml": overlay["base/app.yaml"]},
	} {
		if list, err := Build(write(t, files)); err == nil || !strings.Contains(err.Error(), "is remote") {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
	if _, err := os.Stat(filepath.Join(bin, "git.asked")); err == nil || len(asked) != 0 {
		t.Errorf("git or %d requests", len(asked))
	}
	// What only looks like it is data of objects.
	dir := write(t, map[string]string{
		"kustomization.yaml": "resources: [s.yaml]\npatches: [{target: {kind: Service}, patch: '[{\"op\": \"add\", \"path\": \"/metadata/annotations\", \"value\": {\"path\": \"https://example.org\"}}]'}]\n",
		"s.yaml":             "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {externalName: builtin}\n---\napiVersion: example.org/v1\nkind: App\nmetadata: {name: a}\nspec: {url: \"https://example.org/b\"}\n",
	})
	if list, err := Build(dir); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}
