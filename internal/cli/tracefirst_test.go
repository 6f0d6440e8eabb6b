package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFirstNode wants --first-node to begin where it says, and to go on from there.
func TestFirstNode(t *testing.T) {
	const cluster = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: a}}
- {apiVersion: v1, kind: Node, metadata: {name: n0}, status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}}
- {apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.0.2.12}]}}
- {apiVersion: v1, kind: Pod, metadata: {name: db, namespace: a}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 10.244.1.1, podIPs: [{ip: 10.244.1.1}]}}
- {apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {clusterIP: 10.96.0.9, ports: [{port: 80}]}}
- {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s-1, namespace: a, labels: {kubernetes.io/service-name: s}}, addressType: IPv4, ports: [{port: 80, protocol: TCP}], endpoints: [{addresses: [10.244.1.1], nodeName: n1}]}
- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: a}, spec: {podSelector: {}, policyTypes: [Ingress]}}
`
	path := filepath.Join(t.TempDir(), "cluster.yaml")
	if err := os.WriteFile(path, []byte(cluster), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ flag, want string }{
		{"--node=n0", `"verdict": "dnat"`}, {"--first-node=n0", `"verdict": "drop"`}, {"--first-node=n0", `"node": "n1"`}, {"--first-node=n9", `no node "n9"`},
	} {
		var out, errs strings.Builder
		Run([]string{"trace", "-f", path, "--cluster-cidr=10.244.0.0/16", "--from=203.0.113.9", "--to=10.96.0.9", "--port=80", "-o", "json", c.flag}, Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		if said := out.String() + errs.String(); !strings.Contains(said, c.want) {
			t.Errorf("%s: want %s, it says %s", c.flag, c.want, said)
		}
	}
}
