package metrics_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/planec/planec/internal/agent/metrics"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir"
)

var update = flag.Bool("update", false, "write docs/reference/metrics.md")

const document = "../../../docs/reference/metrics.md"

// described finds the parts of a Desc's text.
var described = regexp.MustCompile(`fqName: "([^"]+)", help: "((?:[^"\\]|\\.)*)", .*variableLabels: \{([^}]*)\}`)

// TestDocument keeps docs/reference/metrics.md equal to what an agent registers.
func TestDocument(t *testing.T) {
	rows := make(map[string]bool)
	for _, backend := range []string{"nftables", "ebpf"} {
		for _, row := range registered(t, backend) {
			rows[row] = true
		}
	}
	var planec, proxy, process []string
	for row := range rows {
		switch {
		case strings.HasPrefix(row, "| `planec_"):
			planec = append(planec, row)
		case strings.HasPrefix(row, "| `kubeproxy_"):
			proxy = append(proxy, row)
		default:
			process = append(process, row)
		}
	}
	var b strings.Builder
	b.WriteString("# Metrics of planec-agent\n\nMade from `internal/agent/metrics` by its test (`go test ./internal/agent/metrics -update`). They are at `/metrics` of\n" +
		"`--metrics-bind-address`. [operations.md](../operations.md#what-to-watch) says which of them to watch, and what to do.\n")
	for _, part := range []struct {
		title string
		rows  []string
	}{{"planec's own", planec}, {"Those of kube-proxy, under its names", proxy}, {"The process", process}} {
		slices.Sort(part.rows)
		fmt.Fprintf(&b, "\n## %s\n\n| metric | labels | |\n|---|---|---|\n%s", part.title, strings.Join(part.rows, ""))
	}
	if *update {
		if err := os.MkdirAll("../../../docs/reference", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(document, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Error("docs/reference/metrics.md is stale: go test ./internal/agent/metrics -update")
	}
}

// registered returns a row for each metric of an agent with this backend.
func registered(t *testing.T, backend string) []string {
	t.Helper()
	descs := make(chan *prometheus.Desc, 1000)
	m := metrics.New(backend)
	if backend == "ebpf" {
		m.Connections(func() map[ir.ServicePort]applier.Connections { return nil })
		m.Balancing()
		m.BGP()
		m.FQDN()
		m.CountPackets(func() ([]metrics.Packets, error) { return nil, nil })
	}
	m.Registry.Describe(descs)
	close(descs)
	var out []string
	for d := range descs {
		m := described.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("unreadable: %s", d)
		}
		// The Go release adds and renames metrics of its runtime.
		if strings.HasPrefix(m[1], "go_") {
			continue
		}
		var labels []string
		for l := range strings.SplitSeq(m[3], ",") {
			if l != "" {
				labels = append(labels, "`"+l+"`")
			}
		}
		out = append(out, fmt.Sprintf("| `%s` | %s | %s |\n", m[1], strings.Join(labels, ", "), strings.ReplaceAll(m[2], "|", "\\|")))
	}
	return out
}
