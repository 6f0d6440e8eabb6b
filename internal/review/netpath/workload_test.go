package netpath_test

import (
	"testing"

	"github.com/planec/planec/internal/review/netpath"
)

func TestWorkload(t *testing.T) {
	for pod, want := range map[string]string{
		"web-6c9d7bf5c4-2xk4m": "web", "node-exporter-8kz4x": "node-exporter", "db-0": "db", "kafka-broker-12": "kafka-broker",
		"web": "web", "my-nginx": "my-nginx", "mysql-proxy": "mysql-proxy", "-0": "-0", "api-v2": "api-v2", "front-https": "front-https",
	} {
		if got := netpath.Workload(pod, nil); got != want {
			t.Errorf("Workload(%q) = %q, want %q", pod, got, want)
		}
	}
	if got := netpath.Workload("node-exporter-bcdfg", map[string]string{"controller-revision-hash": "x"}); got != "node-exporter" {
		t.Errorf("a DaemonSet's pod is of %q", got)
	}
}
