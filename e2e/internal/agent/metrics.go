package agent

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/planec/planec/e2e/internal/process"
)

// Values are the metrics of an agent, by name and labels as written.
type Values map[string]float64

// Sum adds up a metric over all its labels.
func (v Values) Sum(name string) (sum float64) {
	for key, value := range v {
		if key == name || strings.HasPrefix(key, name+"{") {
			sum += value
		}
	}
	return sum
}

// The metrics that tests read.
const (
	// Applies counts changes of the kernel, by their kind.
	Applies = "planec_apply_duration_seconds_count"
	// Steps counts the steps of all plans.
	Steps = "planec_apply_steps_total"
	// Failures counts failed applies.
	Failures = "planec_apply_failures_total"
	// Drifts counts repairs.
	Drifts = "planec_drift_total"
	// Goroutines is the number of goroutines.
	Goroutines = "go_goroutines"
	lastApply  = "kubeproxy_sync_proxy_rules_last_timestamp_seconds"
)

// Values reads the agent's metrics.
func (a *Agent) Values(ctx context.Context) (Values, error) {
	text, err := process.Get(ctx, a.client, Metrics+"/metrics", "")
	if err != nil {
		return nil, err
	}
	values := make(Values)
	for line := range strings.Lines(text) {
		at := strings.LastIndexByte(strings.TrimSpace(line), ' ')
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		if v, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64); err == nil {
			values[line[:at]] = v
		}
	}
	return values, nil
}

// errBefore says that nothing has been applied yet.
var errBefore = errors.New("nothing was applied yet")

// Applied waits until the agent has applied what the API server lists.
func (a *Agent) Applied(ctx context.Context) error {
	return a.Until(ctx, func() error {
		v, err := a.Values(ctx)
		if err == nil && v.Sum(lastApply) == 0 {
			return errBefore
		}
		return err
	})
}

// Collect runs the agent's garbage collector, so that only memory in use
// remains. It needs --profiling.
func (a *Agent) Collect(ctx context.Context) error {
	_, err := process.Get(ctx, a.client, Metrics+"/debug/pprof/heap?gc=1", "")
	return err
}
