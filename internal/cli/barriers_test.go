package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/planec/planec/internal/cli"
	"github.com/planec/planec/internal/testing/browser"
)

// TestBarriers looks for what keeps people from reading the pages that commands write.
func TestBarriers(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, args ...string) string {
		var out, problems bytes.Buffer
		if code := cli.Run(args, cli.Streams{In: bytes.NewReader(nil), Out: &out, Err: &problems}); code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, code, problems.String())
		}
		path := filepath.Join(dir, name+".html")
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	policies := []string{"-f", "../../examples/policies", "--config", "../../examples/policies/settings/node.yaml"}
	with := func(command string, more ...string) []string {
		return append(append([]string{command}, policies...), more...)
	}
	change := "testdata/diff/store-opens-elsewhere"
	report := write("report", with("report", "--all-nodes")...)
	changed := write("change", "report", change+"/old", change+"/new", "--synth", "--all-nodes", "--cluster-cidr", "10.244.0.0/16")
	type page struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	pages := []page{
		{"report", report},
		{"report with an answer", report + "#object=NetworkPolicy/shop/db-from-web&from=shop/web-0&to=svc/shop/db&port=5432"},
		{"report, its map", report + "#view=map"},
		{"change", changed},
		{"change, its map", changed + "#view=map"},
		{"matrix", write("matrix", with("matrix", "--explain", "--exposure", "-o", "html")...)},
		{"matrix of a port", write("ports", with("matrix", "--port", "5432", "-o", "html")...)},
		{"trace", write("trace", with("trace", "--from", "shop/web-0", "--to", "svc/shop/db", "--port", "5432", "-o", "html")...)},
	}
	list, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	browser.Run(t, "../testing/browser/barriers.test.js", "BARRIERS="+string(list))
}
