package pseudonym

import (
	"strings"
	"testing"
)

// TestHosts has the lines of logs in which machines are named.
func TestHosts(t *testing.T) {
	text := `Nov 30 02:52:23 worker-7 planec-agent[812]: level=INFO msg=started
2026-11-30T02:52:24.120+0000 worker-8.prod.internal planec-agent[812]: level=WARN msg="waits for worker-8"
Nov  3 02:52:23 worker_9 kernel: nf_conntrack: table full
2026-11-30T02:52:25Z INFO sync: took 3 ms
level=ERROR msg="list failed" err="Get \"https://apiserver.east.corp:6443/api/v1/nodes\": dial tcp: lookup kube-vip on 10.0.0.2:53: no such host"
level=ERROR err="x509: certificate is valid for db01.rack4.example.com, not 10.1.2.3"
level=INFO msg="reads discovery.k8s.io/v1" file=/etc/planec/a.b.yaml at=reflector.cache.go:205 url=http://localhost:9090 unit=planec-agent.service sets net.ipv4.conf.all.forwarding planec=v1.2.0-next.abc`
	var n Names
	n.AddHosts([]byte(text))
	got := string(n.Replace([]byte(text)))
	for _, secret := range []string{"worker-7", "worker-8", "worker_9", "prod.internal", "east.corp", "kube-vip", "db01", "rack4"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is in\n%s", secret, got)
		}
	}
	for _, same := range []string{"INFO sync: took 3 ms", "discovery.k8s.io/v1", "a.b.yaml", "reflector.cache.go:205", "http://localhost:9090", "planec-agent[812]", "kernel: nf_conntrack", "planec-agent.service", "net.ipv4.conf.all.forwarding", "v1.2.0-next.abc", ":6443/api/v1/nodes"} {
		if !strings.Contains(got, same) {
			t.Errorf("%q is not in\n%s", same, got)
		}
	}
	if first, second := strings.Split(got, "\n")[1], n.names["worker-8"]; second == "" || strings.Count(first, second) == 0 {
		t.Errorf("a host and its short name: %s", first)
	}
}
