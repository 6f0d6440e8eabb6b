// Package charts makes of a chart what Helm makes of it, and its tests give that to planec and
// hold the chart of deploy against the other files there. It is a module of its own, since
// Helm wants other versions of Kubernetes' libraries than the API server of ../ is made of.
package charts

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"
)

// Release is what a chart is told besides its values.
type Release struct{ Name, Namespace string }

// Render returns what `helm template` prints of a chart with these values, and its notes. An
// error has Helm's words, those of the chart's schema too.
func Render(c *chart.Chart, values map[string]any, r Release) (manifests, notes string, err error) {
	v, err := chartutil.ToRenderValues(c, values, chartutil.ReleaseOptions{Name: r.Name, Namespace: r.Namespace, IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return "", "", fmt.Errorf("values of chart %s: %w", c.Name(), err)
	}
	files, err := engine.Render(c, v)
	if err != nil {
		return "", "", fmt.Errorf("chart %s: %w", c.Name(), err)
	}
	var names []string
	for name, text := range files {
		switch {
		case filepath.Ext(name) == ".txt":
			notes += text
		case strings.TrimSpace(text) != "":
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var all strings.Builder
	for _, name := range names {
		all.WriteString("---\n# Source: " + name + "\n" + files[name] + "\n")
	}
	return all.String(), notes, nil
}

// RenderDir is Render of a directory, with values as YAML.
func RenderDir(dir string, values []byte, r Release) (manifests, notes string, err error) {
	c, err := loader.LoadDir(dir)
	if err != nil {
		return "", "", fmt.Errorf("chart %s: %w", dir, err)
	}
	var v map[string]any
	if err := yaml.Unmarshal(values, &v); err != nil {
		return "", "", fmt.Errorf("values of chart %s: %w", dir, err)
	}
	return Render(c, v, r)
}
