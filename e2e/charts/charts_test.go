package charts

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/planec/planec/internal/cli"
)

// template is what `helm template` prints of a chart of somewhere else.
func template(t *testing.T, c *chart.Chart, values map[string]any) string {
	t.Helper()
	text, _, err := Render(c, values, Release{Name: "web", Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func run(t *testing.T, stdin string, args ...string) (code int, said string) {
	t.Helper()
	var out bytes.Buffer
	code = cli.Run(args, cli.Streams{In: strings.NewReader(stdin), Out: &out, Err: &out})
	return code, out.String()
}

// ingressNginx is a version of a real project whose module holds its chart.
const ingressNginx = "k8s.io/ingress-nginx@v0.0.0-20240708192948-52c50467d67d"

// TestRealChart lints and compiles what Helm makes of the chart of ingress-nginx, as it is
// and with its network policies and all that makes Services: there is no error, and no
// warning that is not true.
func TestRealChart(t *testing.T) {
	out, err := exec.Command("go", "mod", "download", "-json", ingressNginx).Output()
	if err != nil {
		t.Fatalf("the module cannot be had: %v: %s", err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(module.Dir, "charts", "ingress-nginx")
	c, err := loader.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string]map[string]any{
		"as it is": nil,
		"all of it": {
			"controller": map[string]any{
				"networkPolicy": map[string]any{"enabled": true},
				"metrics":       map[string]any{"enabled": true, "service": map[string]any{"enabled": true}},
				"autoscaling":   map[string]any{"enabled": true},
				"kind":          "Deployment",
			},
			"defaultBackend": map[string]any{"enabled": true, "networkPolicy": map[string]any{"enabled": true}},
		},
	} {
		text := template(t, c, values)
		code, said := run(t, text, "lint", "--synth", "-f", "-")
		if code != 0 || !strings.Contains(said, "0 errors, 0 warnings") {
			t.Errorf("%s: exit code %d: %s", name, code, said)
		}
		if code, said := run(t, text, "compile", "-q", "--synth", "-f", "-", "--node", "node-1", "--backend", "nftables"); code != 0 || !strings.Contains(said, "ingress-nginx-controller:https") {
			t.Errorf("%s: exit code %d: %s", name, code, said)
		}
	}
	if code, said := run(t, "", "lint", "--synth", "-R", "-f", filepath.Dir(dir)); code != 0 || strings.Count(said, "PLC0020") != 1 || strings.Contains(said, "PLC0001") {
		t.Errorf("the chart: exit code %d: %s", code, said)
	}
}

// TestTemplate lints what Helm makes of the chart that `helm create` writes, with all of it
// switched on, as README says: there is nothing to find. The chart itself is no manifest,
// and that is said once.
func TestTemplate(t *testing.T) {
	dir, err := chartutil.Create("web", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, err := loader.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string]map[string]any{
		"as it is": nil,
		"all of it": {
			"autoscaling": map[string]any{"enabled": true},
			"ingress":     map[string]any{"enabled": true},
			"httpRoute":   map[string]any{"enabled": true},
		},
	} {
		text := template(t, c, values)
		if code, said := run(t, text, "lint", "--synth", "-f", "-"); code != 0 || !strings.Contains(said, "0 errors, 0 warnings") {
			t.Errorf("%s: exit code %d: %s\n%s", name, code, said, text)
		}
		if code, said := run(t, text, "compile", "-q", "--synth", "-f", "-", "--node", "node-1", "--backend", "nftables"); code != 0 || !strings.Contains(said, `"shop/web:http"`) && !strings.Contains(said, "/web:http") {
			t.Errorf("%s: exit code %d: %s", name, code, said)
		}
	}
	if code, said := run(t, "", "lint", "--synth", "-R", "-f", filepath.Dir(dir)); code != 0 || strings.Count(said, "PLC0020") != 1 || strings.Contains(said, "PLC0001") {
		t.Errorf("the chart: exit code %d: %s", code, said)
	}
}
