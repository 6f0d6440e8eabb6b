package manifest_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/clustergen"
	"github.com/planec/planec/internal/manifest"
)

func TestTmpRSS(t *testing.T) {
	path := os.Getenv("RSS_FILE")
	if path == "" {
		t.Skip()
	}
	if _, err := os.Stat(path); err != nil {
		f, _ := os.Create(path)
		if strings.HasSuffix(path, ".json") {
			clustergen.JSON(f, clustergen.Size{Services: 30000, Endpoints: 5})
		} else {
			clustergen.YAML(f, clustergen.Size{Services: 30000, Endpoints: 5})
		}
		f.Close()
		return
	}
	start := time.Now()
	set, _, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{path}})
	b, _ := os.ReadFile("/proc/self/status")
	for _, l := range strings.Split(string(b), "\n") {
		if strings.HasPrefix(l, "VmHWM") {
			t.Log(l)
		}
	}
	t.Log(time.Since(start), len(set.Services), err)
}
