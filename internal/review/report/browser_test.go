package report_test

import (
	"path/filepath"
	"testing"

	"github.com/planec/planec/internal/testing/browser"
)

// inBrowser runs a script of this folder on pages, by their names.
func inBrowser(t *testing.T, script string, pages map[string]string) {
	t.Helper()
	var env []string
	for name, path := range pages {
		abs, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, "PAGE_"+name+"="+abs)
	}
	browser.Run(t, filepath.Join("browser", script), env...)
}
