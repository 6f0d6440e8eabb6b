package cmd

import (
	"context"
	"net/netip"

	lbipam "github.com/planec/planec/internal/agent/ipam"
	"github.com/planec/planec/internal/agent/layer2"
	"github.com/planec/planec/internal/agent/metrics"
	"github.com/planec/planec/internal/input/apisource"
	"github.com/planec/planec/ir/diag"
)

// announce answers for addresses of Services on this node's segment until ctx ends.
func (s *service) announce(ctx context.Context) error {
	config, err := s.restConfig()
	if err != nil {
		return err
	}
	watch := &announcing{service: s, metrics: s.report.metrics.Layer2()}
	source, err := apisource.New(apisource.Options{
		Config: config, Node: s.options.node, Layer2: true, Log: s.log,
		Report: func(all diag.List) { s.report.findings.set(aboutReadingLayer2, all) },
	})
	if err != nil {
		return err
	}
	leases, err := layer2.NewLeases(config, s.options.l2Namespace, s.options.l2Duration/4)
	if err != nil {
		return err
	}
	speaker := &layer2.Speaker{
		Node: s.options.node, Duration: s.options.l2Duration, Leases: leases, Source: source, Observer: watch, Log: s.log,
	}
	return speaker.Run(ctx)
}

// announcing reports what the speaker does.
type announcing struct {
	*service
	metrics *metrics.Layer2
}

var _ layer2.Observer = (*announcing)(nil)

// Announced implements [layer2.Observer].
func (a *announcing) Announced(held, candidates int) { a.metrics.Announced(held, candidates) }

// Took implements [layer2.Observer].
func (a *announcing) Took(netip.Addr) { a.metrics.Took() }

// Answered implements [layer2.Observer].
func (a *announcing) Answered(link string) { a.metrics.Answered(link) }

// Found implements [layer2.Observer].
func (a *announcing) Found(all diag.List) { a.report.findings.set(aboutLayer2, all) }

// balanced checks the flags of pools and of announcements.
func (o *options) balanced() error {
	if o.manifestDir != "" && o.lbIPAM {
		return usage("--lb-ipam needs an API server: there is no status to write with --manifest-dir")
	}
	if o.manifestDir != "" && o.l2Announce {
		return usage("--l2-announce needs an API server: without Leases two nodes could answer for one address")
	}
	if o.l2Duration < layer2.ShortestDuration {
		return usage("--l2-lease-duration %v: want at least %v", o.l2Duration, layer2.ShortestDuration)
	}
	if _, err := lbipam.ParseLease(o.lbLease); err != nil {
		return usage("--lb-lease %w", err)
	}
	return nil
}
