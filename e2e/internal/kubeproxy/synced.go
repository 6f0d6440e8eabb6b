package kubeproxy

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/planec/planec/e2e/internal/process"
)

// Synced waits until kube-proxy has installed all requested rules, in both
// families. It cannot wait for changes that kube-proxy has not seen yet: after
// a change of an object, wait for the effect.
func (p *Proxy) Synced(ctx context.Context) error {
	return p.Until(ctx, func() error { return p.synced(ctx) })
}

// Syncs counts kube-proxy's log lines about installed rules: one per family at the
// start. The log is used because another program may have its metrics port.
func (p *Proxy) Syncs() int { return strings.Count(p.Log(), `"SyncProxyRules complete"`) }

// The gauges of pkg/proxy/metrics, one per family.
const (
	lastSync   = "kubeproxy_sync_proxy_rules_last_timestamp_seconds"
	lastQueued = "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds"
)

func (p *Proxy) synced(ctx context.Context) error {
	text, err := process.Get(ctx, p.client, "http://"+metricsAddress+"/metrics", "")
	if err != nil {
		return err
	}
	done, queued := gauges(text, lastSync), gauges(text, lastQueued)
	if len(done) != 2 {
		return fmt.Errorf("synced in %d families, want 2", len(done))
	}
	for family, at := range done {
		if at == 0 || at < queued[family] {
			return fmt.Errorf("%s: a sync is to come", family)
		}
	}
	return nil
}

// gauges returns the values of a metric by its labels.
func gauges(text, name string) map[string]float64 {
	out := make(map[string]float64)
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, name+"{")
		if !ok {
			continue
		}
		labels, value, _ := strings.Cut(rest, "}")
		if v, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
			out[labels] = v
		}
	}
	return out
}
