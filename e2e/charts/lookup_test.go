package charts

import (
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/scheme"
)

// configMaps answers for a cluster with these.
type configMaps []runtime.Object

// GetClientFor implements [engine.ClientProvider].
func (c configMaps) GetClientFor(string, string) (dynamic.NamespaceableResourceInterface, bool, error) {
	return fake.NewSimpleDynamicClient(scheme.Scheme, c...).Resource(corev1.SchemeGroupVersion.WithResource("configmaps")), true, nil
}

// TestCluster: a cluster without kube-proxy's ConfigMap is told so at once, since its pods would
// wait for it and say so only in their Events.
func TestCluster(t *testing.T) {
	configMap := func(namespace, name string) runtime.Object {
		return &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	}
	root := configMap("kube-system", "kube-root-ca.crt")
	own := map[string]any{"kubeProxyConfigMap": "", "apiServer": map[string]any{"host": "192.0.2.10"}}
	for name, c := range map[string]struct {
		cluster configMaps
		values  map[string]any
		words   string
	}{
		"kubeadm's":              {configMaps{root, configMap("kube-system", "kube-proxy")}, nil, ""},
		"another one":            {configMaps{root}, nil, "namespace kube-system has no ConfigMap kube-proxy"},
		"in another namespace":   {configMaps{root, configMap("default", "kube-proxy")}, nil, "namespace kube-system has no ConfigMap kube-proxy"},
		"with settings":          {configMaps{root}, own, ""},
		"unknown, as a template": {nil, nil, ""},
	} {
		chart, err := loader.LoadDir(planec)
		if err != nil {
			t.Fatal(err)
		}
		values, err := chartutil.ToRenderValues(chart, c.values, chartutil.ReleaseOptions{Name: "planec", Namespace: "default", IsInstall: true}, chartutil.DefaultCapabilities)
		if err != nil {
			t.Fatal(err)
		}
		_, err = engine.RenderWithClientProvider(chart, values, c.cluster)
		if (err != nil) != (c.words != "") || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
