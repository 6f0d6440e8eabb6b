package cmd

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"

	"github.com/planec/planec/compiler/ipam"
	lbipam "github.com/planec/planec/internal/agent/ipam"
	"github.com/planec/planec/internal/agent/metrics"
	"github.com/planec/planec/internal/input/apisource"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/ir/diag"
)

// Limits for requests of the agent that gives addresses: each Service that gets one is a write.
const (
	balancingQPS   = 50
	balancingBurst = 100
)

// balance gives Services addresses of pools while this agent holds the Lease, until ctx ends.
func (s *service) balance(ctx context.Context) error {
	config, err := s.restConfig()
	if err != nil {
		return err
	}
	config.QPS, config.Burst = max(config.QPS, balancingQPS), max(config.Burst, balancingBurst)
	lease, err := lbipam.ParseLease(s.options.lbLease)
	if err != nil {
		return err
	}
	// An agent that starts again is another one: what the first one wrote last may be on its way.
	lease.Identity = s.options.node + "_" + rand.Text()
	watch := &balancing{service: s, metrics: s.report.metrics.Balancing()}
	return lbipam.Elect(ctx, config, lease, func(ctx context.Context, holds func() error) error {
		c := &lbipam.Controller{
			Classes: s.options.lbClasses, Holds: holds, Observer: watch, Log: s.log,
			Open: func() (inbox.Source, lbipam.Writer, error) {
				src, err := apisource.New(apisource.Options{Config: config, Node: s.options.node, Addresses: true, Log: s.log, Report: watch.sourced})
				if err != nil {
					return nil, nil, err
				}
				if watch.events, err = src.Events(); err != nil {
					return nil, nil, err
				}
				return &told{src, watch.events, s.log}, &lbipam.StatusWriter{Patch: src.PatchStatus}, nil
			},
		}
		return c.Lead(ctx)
	})
}

// told is a source with the Events about its objects.
type told struct {
	*apisource.Source
	events *apisource.Events
	log    *slog.Logger
}

// Run implements [inbox.Source].
func (t *told) Run(ctx context.Context, in *inbox.Inbox) error {
	var events sync.WaitGroup
	defer events.Wait()
	events.Go(func() { t.events.Run(ctx, t.log) })
	return t.Source.Run(ctx, in)
}

// balancing reports what the controller does.
type balancing struct {
	*service
	metrics *metrics.Balancing
	events  *apisource.Events
}

var _ lbipam.Observer = (*balancing)(nil)

// sourced takes the findings of reading pools.
func (b *balancing) sourced(all diag.List) { b.report.findings.set(aboutPools, all) }

// Allocated implements [lbipam.Observer].
func (b *balancing) Allocated(r *ipam.Result) {
	b.metrics.Allocated(r)
	b.events.Diagnosed(r.Diagnostics)
	b.report.findings.set(aboutBalanced, r.Diagnostics)
}

// Wrote implements [lbipam.Observer].
func (b *balancing) Wrote(err error) { b.metrics.Wrote(err) }

// Leads implements [lbipam.Observer].
func (b *balancing) Leads(leads bool) {
	b.metrics.Leads(leads)
	if leads {
		b.log.Info("this agent gives addresses to Services of type LoadBalancer", "lease", b.options.lbLease)
		return
	}
	b.report.findings.set(aboutBalanced, nil)
	b.report.findings.set(aboutPools, nil)
	b.log.Info("another agent may give addresses to Services of type LoadBalancer")
}
