package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/planec/planec/internal/base/buildinfo"
)

// own are planec's metrics.
type own struct {
	apply       *prometheus.HistogramVec
	waited      prometheus.Observer
	steps       prometheus.Counter
	failures    prometheus.Counter
	drift       prometheus.Counter
	driftSteps  prometheus.Counter
	verify      prometheus.Observer
	diagnostics *prometheus.GaugeVec
	unread      prometheus.Gauge
	givenUp     prometheus.Gauge
}

func newOwn(r *prometheus.Registry, backend string) own {
	f := factory{registry: r, subsystem: "planec"}
	f.gauge("build_info", "1, with the version of planec-agent, the Go release that built it, and the backend", "version", "goversion", "backend").
		WithLabelValues(buildinfo.Version(), runtime.Version(), backend).Set(1)
	return own{
		apply:       f.histogram("apply_duration_seconds", "From taking changes to the kernel's acknowledgement, by the way taken: short (what changed) or whole (everything compared)", fine(), "way"),
		waited:      f.histogram("change_wait_seconds", "How long the first of the changes of an apply waited for it", fine()).WithLabelValues(),
		steps:       f.counter("apply_steps_total", "Steps of the plans that were carried out: elements, chains, sets, virtual servers"),
		failures:    f.counter("apply_failures_total", "Applies that failed; the rules from before stayed"),
		drift:       f.counter("drift_total", "Times that another process had changed the rules of planec, and the agent restored them"),
		driftSteps:  f.counter("drift_steps_total", "Steps that restored the rules of planec after such changes"),
		verify:      f.histogram("verify_duration_seconds", "Comparisons of the whole kernel that found nothing", fine()).WithLabelValues(),
		diagnostics: f.gauge("diagnostics", "Findings about the cluster's objects now, by code (planec lint explains them)", "code", "severity"),
		givenUp:     f.gauge("objects_given_up", "Objects that the backend cannot express or the kernel refuses: Services that refuse, policies that close").WithLabelValues(),
		unread:      f.gauge("unread_sources", "Files, directories or kinds of objects that cannot be read now; what they said before stays").WithLabelValues(),
	}
}

func fine() []float64 { return prometheus.ExponentialBuckets(0.0001, 2, 18) }
