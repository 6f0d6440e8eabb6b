package cmd

import (
	"context"
	"time"

	"github.com/planec/planec/internal/agent/metrics"
	"github.com/planec/planec/internal/apply/applier"
)

// interfacesEvery is how often the interfaces of pods are looked at without a notice: a
// program that was taken off one gives none.
const interfacesEvery = 10 * time.Second

// guarded is the dataplane, if it enforces policies at the interfaces of pods.
func (s *service) guarded() applier.Guarded {
	if o := s.config.Options(); !o.AtInterfaces() {
		return nil
	}
	return s.applier.Guarded(s.backend.Name())
}

// keepInterfaces guards interfaces that come, from the first time on that the rules are
// right. Without notices the comparisons of the whole kernel find them.
func (s *service) keepInterfaces(ctx context.Context) error {
	g := s.guarded()
	if g == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.isSettled:
	}
	err := g.KeepInterfaces(ctx, interfacesEvery, func(steps []string, err error) {
		for _, step := range steps {
			s.log.Info("interfaces of pods", "did", step)
		}
		if err != nil {
			s.log.Warn("policies may not be enforced by programs at some interfaces of pods; the rules of packets judge what these send", "error", err)
		}
	})
	if err != nil {
		s.log.Warn("nothing will tell of interfaces of new pods", "error", err)
	}
	return nil
}

// verdicts reads the counters of packets for metrics.
func (s *service) verdicts() ([]metrics.Packets, error) {
	counts, err := s.guarded().Verdicts()
	out := make([]metrics.Packets, 0, len(counts))
	for _, c := range counts {
		out = append(out, metrics.Packets{Direction: c.Direction, Verdict: c.Verdict, Count: c.Packets})
	}
	return out, err
}
