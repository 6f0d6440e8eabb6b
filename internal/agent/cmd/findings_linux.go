package cmd

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/planec/planec/internal/agent/metrics"
	"github.com/planec/planec/ir/diag"
)

// The sources of findings.
const (
	aboutObjects       = "objects"
	aboutReading       = "reading objects"
	aboutServers       = "listening"
	aboutSettings      = "settings"
	aboutAgent         = "agent"
	aboutPools         = "reading pools"
	aboutBalanced      = "addresses of Services"
	aboutReadingLayer2 = "reading announcements"
	aboutLayer2        = "announcements on layer 2"
	aboutRoutes        = "pod routes"
	aboutReadingBGP    = "reading what BGP announces"
	aboutBGP           = "announcements by BGP"
	aboutFRR           = "FRR"
	aboutFQDN          = "answers of DNS"
)

// findings are the current findings by source. It is safe for concurrent use.
type findings struct {
	log     *slog.Logger
	metrics *metrics.Metrics

	mu sync.Mutex
	by map[string]diag.List
}

func newFindings(log *slog.Logger, m *metrics.Metrics) *findings {
	return &findings{log: log, metrics: m, by: make(map[string]diag.List)}
}

// set replaces the findings of a source and logs new ones.
func (f *findings) set(about string, now diag.List) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.put(about, now)
}

// change modifies the findings of a source and logs new ones.
func (f *findings) change(about string, change func(diag.List) diag.List) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := change(slices.Clone(f.by[about]))
	now.Sort()
	f.put(about, now)
}

// put is set with the lock held, so that log and metrics match the last state.
func (f *findings) put(about string, now diag.List) {
	had := f.by[about]
	f.by[about] = now
	f.metrics.Diagnosed(slices.Concat(slices.Collect(maps.Values(f.by))...))
	f.logNew(about, serious(had), serious(now))
}

// all returns the current findings, sorted.
func (f *findings) all() diag.List {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Concat(slices.Collect(maps.Values(f.by))...)
	all.Sort()
	return all
}

// serious removes notes: a cluster has many, and they require no action.
func serious(all diag.List) diag.List {
	return slices.DeleteFunc(slices.Clone(all), func(d diag.Diagnostic) bool { return d.Severity() == diag.Info })
}

// mostLines is the maximum number of findings logged at once.
const mostLines = 100

// logNew logs new findings: in file mode there are no Events, and the log is the
// only place that names an object.
func (f *findings) logNew(about string, had, all diag.List) {
	known := make(map[diag.Diagnostic]bool, len(had))
	for _, d := range had {
		known[d] = true
	}
	fresh := 0
	for _, d := range all {
		if known[d] {
			continue
		}
		if fresh++; fresh <= mostLines {
			logFinding(f.log, about, d)
		}
	}
	if fresh > mostLines {
		f.log.Warn(about+": not all findings are logged; planec status prints all", "unlogged", fresh-mostLines)
	}
}

// logFindings logs findings that are stored nowhere else.
func logFindings(log *slog.Logger, about string, all diag.List) {
	for _, d := range all {
		logFinding(log, about, d)
	}
}

// logFinding logs a finding at its own level, with its object in separate fields.
func logFinding(log *slog.Logger, about string, d diag.Diagnostic) {
	attrs := []slog.Attr{slog.String("code", string(d.Code))}
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, diag.Printable(value)))
		}
	}
	add("object", d.Origin.Object())
	add("field", d.Origin.Path)
	add("file", d.Origin.File)
	if d.Origin.Line > 0 {
		attrs = append(attrs, slog.Int("line", d.Origin.Line))
	}
	add("hint", d.Hint())
	log.LogAttrs(context.Background(), level(d.Severity()), about+": "+diag.Printable(d.Message), attrs...)
}

func level(s diag.Severity) slog.Level {
	switch s {
	case diag.Error:
		return slog.LevelError
	case diag.Warning:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
