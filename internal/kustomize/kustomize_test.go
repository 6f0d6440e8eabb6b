package kustomize

import (
	"errors"
	"fmt"
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
		first := ""
		for l := range strings.Lines(string(o.Text)) {
			if strings.HasPrefix(l, "  name: ") {
				first = strings.TrimSpace(l)
			}
		}
		got = append(got, fmt.Sprintf("%s:%d %s", filepath.ToSlash(rel), o.Line, first))
		if strings.Contains(string(o.Text), "config.kubernetes.io") || !strings.Contains(string(o.Text), "namespace: prod") {
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
