package compiler_test

import (
	"slices"
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/clustergen"
)

// TestOneEndpointChangesAFewLines counts, in each backend's files, the lines
// that come or go when one endpoint does, in a cluster of 500 Services.
func TestOneEndpointChangesAFewLines(t *testing.T) {
	const endpoints = 8
	before := ruleLines(t, endpoints, func(*discoveryv1.EndpointSlice) {})
	changes := []struct {
		name   string
		most   int
		change func(*discoveryv1.EndpointSlice)
	}{
		// Its line goes and one comes; which index it has depends on its address,
		// so a few may change places.
		{"an endpoint gets another address", 8, func(s *discoveryv1.EndpointSlice) { s.Endpoints[3].Addresses = []string{"10.127.0.1"} }},
		// Its line goes, another takes its index, and the verdict is that of
		// another count; the chains of a count that was not in use are new. iptables
		// has a probability for each endpoint of the pool, which all change.
		{"an endpoint leaves", 24, func(s *discoveryv1.EndpointSlice) { s.Endpoints = slices.Delete(s.Endpoints, 3, 4) }},
		{"an endpoint comes", 24, func(s *discoveryv1.EndpointSlice) {
			s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{"10.127.0.1"}})
		}},
		{"an endpoint is not ready", 24, func(s *discoveryv1.EndpointSlice) {
			no := false
			s.Endpoints[3].Conditions.Ready = &no
		}},
	}
	for _, c := range changes {
		for name, lines := range ruleLines(t, endpoints, c.change) {
			n, foreign := difference(before[name], lines, changedService)
			t.Logf("%s, %s: %d lines", name, c.name, n)
			if n == 0 || n > c.most {
				t.Errorf("%s: %s: %d lines change, want 1 to %d", name, c.name, n, c.most)
			}
			if len(foreign) > 0 {
				t.Errorf("%s: %s: lines of other Services change: %q", name, c.name, foreign)
			}
		}
	}
}

// changedService is the comment of the Service whose slice changes.
const changedService = "svc-00250"

// ruleLines compiles a cluster after a change of the 250th slice. It returns the
// lines of all of a backend's text, by backend.
func ruleLines(t *testing.T, endpoints int, change func(*discoveryv1.EndpointSlice)) map[string][]string {
	t.Helper()
	set := clustergen.Objects(clustergen.Size{Services: 500, Endpoints: endpoints})
	change(set.EndpointSlices[250].Object)
	program, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name})
	out := make(map[string][]string)
	for _, b := range registry.All(backends.DefaultOptions()) {
		a, err := b.Emit(program)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".bin") || b.Name() == ebpf.Name && f.Name == ebpf.PacketsFile {
				continue // an image is no text, and the rules for packets are nftables' own
			}
			for line := range strings.Lines(string(f.Data)) {
				out[b.Name()] = append(out[b.Name()], f.Name+": "+strings.TrimSuffix(line, "\n"))
			}
		}
	}
	return out
}

// difference counts the lines that are in only one of the files, and returns
// those with a comment that does not name the Service.
func difference(a, b []string, service string) (int, []string) {
	count := make(map[string]int)
	for _, l := range a {
		count[strings.TrimSuffix(l, ",")]++
	}
	for _, l := range b {
		count[strings.TrimSuffix(l, ",")]--
	}
	n := 0
	var foreign []string
	for l, k := range count {
		n += max(k, -k)
		if k != 0 && strings.Contains(l, "comment") && !strings.Contains(l, service) {
			foreign = append(foreign, l)
		}
	}
	return n, foreign
}
