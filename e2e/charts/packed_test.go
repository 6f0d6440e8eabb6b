package charts

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
)

// TestPacked: Helm reads the archive of a release, whose images have the release's tag.
func TestPacked(t *testing.T) {
	for version, want := range map[string]struct{ chart, image string }{
		"v1.2.3":                  {"1.2.3", "planec-agent:v1.2.3"},
		"v1.2.3-4-gabcdef0-dirty": {"1.2.3-4-gabcdef0-dirty", "planec-agent:v1.2.3-4-gabcdef0-dirty"},
		"0123456":                 {"0.0.0-g0123456", "planec-agent:0123456"},
		"devel":                   {"0.0.0-gdevel", "planec-agent:devel"},
		"1e5":                     {"0.0.0-g1e5", "planec-agent:1e5"},
	} {
		var archives [2][]byte
		for i := range archives {
			dir := t.TempDir()
			if out, err := exec.Command("sh", "../../scripts/chart.sh", version, dir).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", version, err, out)
			}
			file := filepath.Join(dir, "planec-"+want.chart+".tgz")
			c, err := loader.Load(file)
			if err != nil {
				t.Fatalf("%s: %v", version, err)
			}
			if err := c.Validate(); err != nil || c.Metadata.Version != want.chart {
				t.Errorf("%s: version %s: %v", version, c.Metadata.Version, err)
			}
			text, _, err := Render(c, nil, release)
			if err != nil {
				t.Fatalf("%s: %v", version, err)
			}
			if got := agentOf(objects(t, []byte(text)))["image"]; got != want.image {
				t.Errorf("%s: image %v", version, got)
			}
			if archives[i], err = os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(archives[0], archives[1]) {
			t.Errorf("%s: two archives of the same sources differ", version)
		}
	}
}
