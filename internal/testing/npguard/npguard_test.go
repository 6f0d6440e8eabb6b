package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun compares a small directory of the form that the other project has: one equal
// test, one that differs because of the host's network, one with a kind that is not read
// and one that is wrong.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"tests/same/all.yaml":                             two + policy,
		"test_outputs/connlist/same_connlist_output.txt":  list,
		"tests/host/all.yaml":                             strings.Replace(two, "spec: {containers: []}", "spec: {hostNetwork: true, containers: []}", 1) + policy,
		"test_outputs/connlist/host_connlist_output.csv":  "",
		"tests/kinds/all.yaml":                            two + policy,
		"test_outputs/connlist/kinds_connlist_output.txt": list + "shop/vm[VirtualMachine] => shop/a[Pod] : All Connections\n",
		"tests/wrong/all.yaml":                            two + policy,
		"test_outputs/connlist/wrong_connlist_output.txt": strings.Replace(list, "UDP 53", "UDP 54", 1),
		"tests/unlisted/all.yaml":                         two,
	} {
		if strings.HasSuffix(name, ".csv") {
			text = "src,dst,conn\n"
			for l := range strings.Lines(list) {
				from, rest, _ := strings.Cut(strings.TrimSpace(l), " => ")
				to, ports, _ := strings.Cut(rest, " : ")
				text += from + "," + to + `,"` + ports + "\"\n"
			}
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]reason{"same": equal, "host": hosts, "kinds": kinds, "wrong": unknown} {
		e, ok, err := expectation(dir, name)
		if err != nil || !ok {
			t.Fatal(name, ok, err)
		}
		if got, differences := compare(filepath.Join(dir, "tests", name), e); got != want {
			t.Errorf("%s: %s, want %s: %q", name, got, want, differences)
		}
	}
	if n, err := run(dir, false); n != 1 || err != nil {
		t.Errorf("%d unexplained, %v", n, err)
	}
}

const two = `apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {containers: []}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: shop, labels: {app: b}}
spec: {containers: [{name: c}]}
---
`

const policy = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: shop}
spec:
  podSelector: {matchLabels: {app: a}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: b}}}]
    ports: [{port: 80}, {port: 90, endPort: 99}, {protocol: UDP, port: 53}]
`

const list = `shop/a[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections
shop/a[Pod] => shop/b[Pod] : All Connections
shop/b[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections
0.0.0.0-255.255.255.255[External] => shop/b[Pod] : All Connections
shop/b[Pod] => shop/a[Pod] : TCP 80,90-99,UDP 53
`
