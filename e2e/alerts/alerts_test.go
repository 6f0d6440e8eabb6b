// Package alerts holds the alerts and the dashboard of deploy against the metrics that the
// agent has, with the libraries of Prometheus. It is a module of its own, since these are large.
package alerts

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"

	"github.com/planec/planec/internal/agent/metrics"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

const (
	rulesFile     = "../../deploy/prometheus/rules.yaml"
	dashboardFile = "../../deploy/grafana/planec.json"
)

// exported are the names of the series that an agent has.
func exported(t *testing.T) []string {
	t.Helper()
	m := metrics.New("nftables")
	m.Queued(time.Now())
	m.Synced(metrics.Sync{At: time.Now(), Triggers: []time.Time{time.Now()}})
	m.Failed("nftables")
	m.Drifted(1)
	m.Healthz("503")
	m.Livez("503")
	m.Diagnosed(diag.List{{Code: diag.BadDocument}})
	m.LoopbackFailed("IPv4")
	m.Connections(func() map[ir.ServicePort]applier.Connections {
		return map[ir.ServicePort]applier.Connections{{Name: "s"}: {}}
	})
	m.CountPackets(func() ([]metrics.Packets, error) { return []metrics.Packets{{}}, nil })
	m.Waiting(func() (int, int) { return 0, 0 })
	families, err := m.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range families {
		out = append(out, f.GetName(), f.GetName()+"_bucket", f.GetName()+"_sum", f.GetName()+"_count")
	}
	return out
}

// known wants an expression of PromQL whose series exist.
func known(t *testing.T, names []string, where, expr string) {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok && v.Name != "up" && !slices.Contains(names, v.Name) {
			t.Errorf("%s: the agent has no %s", where, v.Name)
		}
		return nil
	})
}

func rules(t *testing.T) (out []rulefmt.Rule) {
	t.Helper()
	groups, errs := rulefmt.ParseFile(rulesFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Fatal(err)
	}
	for _, g := range groups.Groups {
		out = append(out, g.Rules...)
	}
	return out
}

// TestNames: alerts and dashboard ask for series that exist.
func TestNames(t *testing.T) {
	names := exported(t)
	for _, r := range rules(t) {
		known(t, names, r.Alert, r.Expr)
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Labels["severity"] == "" {
			t.Errorf("%s says too little", r.Alert)
		}
	}
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title  string `json:"title"`
		Panels []struct {
			Title, Type, Description string
			GridPos                  struct{ X, Y, W, H int }
			Targets                  []struct{ Expr string }
		} `json:"panels"`
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	// Grafana fills in its variables before Prometheus sees them.
	variables := regexp.MustCompile(`\$(job|instance|node)\b|\$\{[a-z]+\}`)
	n := 0
	for _, p := range board.Panels {
		if p.Type == "row" {
			continue
		}
		if p.GridPos.W == 0 || p.GridPos.X+p.GridPos.W > 24 || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("panel %q: a place, a description or a question is missing", p.Title)
		}
		for _, target := range p.Targets {
			n++
			known(t, names, p.Title, strings.ReplaceAll(variables.ReplaceAllString(target.Expr, "x"), "$__rate_interval", "5m"))
		}
	}
	if n < 10 {
		t.Errorf("the dashboard asks %d questions", n)
	}
}

// TestAlerts has series for which each alert fires, and series for which it does not.
func TestAlerts(t *testing.T) {
	for alert, c := range map[string]struct{ fires, quiet string }{
		"PlanecApplyFails":     {`planec_apply_failures_total{instance="a"} 0x5 1x60`, `planec_apply_failures_total{instance="a"} 7x60`},
		"PlanecChangesWait":    {"kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{instance=\"a\",ip_family=\"IPv4\"} 100x60\nkubeproxy_sync_proxy_rules_last_timestamp_seconds{instance=\"a\",ip_family=\"IPv4\"} 20x60", "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{instance=\"a\",ip_family=\"IPv4\"} 100x60\nkubeproxy_sync_proxy_rules_last_timestamp_seconds{instance=\"a\",ip_family=\"IPv4\"} 100x60"},
		"PlanecNotHealthy":     {`kubeproxy_proxy_healthz_total{instance="a",code="503"} 0+1x60`, `kubeproxy_proxy_healthz_total{instance="a",code="200"} 0+1x60`},
		"PlanecDrift":          {`planec_drift_total{instance="a"} 0+1x60`, `planec_drift_total{instance="a"} 0x30 1x30`},
		"PlanecObjectsGivenUp": {`planec_objects_given_up{instance="a"} 2x60`, `planec_objects_given_up{instance="a"} 0x60`},
		"PlanecSourcesUnread":  {`planec_unread_sources{instance="a"} 1x60`, `planec_unread_sources{instance="a"} 0x60`},
		"PlanecObjectErrors":   {`planec_diagnostics{instance="a",severity="error",code="PLC0101"} 1x60`, `planec_diagnostics{instance="a",severity="warning",code="PLC0304"} 1x60`},
		"PlanecPortTaken":      {`planec_diagnostics{instance="a",severity="warning",code="PLC0504"} 1x60`, `planec_diagnostics{instance="a",severity="warning",code="PLC0304"} 1x60`},
		"PlanecSlow":           {"kubeproxy_network_programming_duration_seconds_bucket{instance=\"a\",le=\"1\"} 0x60\nkubeproxy_network_programming_duration_seconds_bucket{instance=\"a\",le=\"10\"} 0+5x60\nkubeproxy_network_programming_duration_seconds_bucket{instance=\"a\",le=\"+Inf\"} 0+5x60", "kubeproxy_network_programming_duration_seconds_bucket{instance=\"a\",le=\"1\"} 0+5x60\nkubeproxy_network_programming_duration_seconds_bucket{instance=\"a\",le=\"10\"} 0+5x60\nkubeproxy_network_programming_duration_seconds_bucket{instance=\"a\",le=\"+Inf\"} 0+5x60"},
	} {
		for _, way := range []struct {
			series string
			fires  bool
		}{{c.fires, true}, {c.quiet, false}} {
			if fires(t, alert, way.series) != way.fires {
				t.Errorf("%s: fires is %t for\n%s", alert, !way.fires, way.series)
			}
		}
	}
}

// fires reports whether an alert's expression has a result ten minutes after the beginning.
func fires(t *testing.T, alert, series string) bool {
	t.Helper()
	storage := promqltest.LoadedStorage(t, "load 1m\n  "+strings.ReplaceAll(series, "\n", "\n  "))
	defer storage.Close()
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	for _, r := range rules(t) {
		if r.Alert != alert {
			continue
		}
		q, err := engine.NewInstantQuery(t.Context(), storage, nil, r.Expr, time.Unix(0, 0).Add(10*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		result := q.Exec(t.Context())
		if result.Err != nil {
			t.Fatal(result.Err)
		}
		v, err := result.Vector()
		if err != nil {
			t.Fatal(err)
		}
		return holds(v)
	}
	t.Fatal(fmt.Sprint("no alert ", alert))
	return false
}

func holds(v promql.Vector) bool { return len(v) > 0 }
