package cmd

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/planec/planec/backends/frr"
	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/internal/agent/bgp"
	"github.com/planec/planec/internal/agent/metrics"
	"github.com/planec/planec/internal/apply/frrload"
	"github.com/planec/planec/internal/input/apisource"
	"github.com/planec/planec/internal/input/filesource"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// frrEvery is how often FRR is compared at least, unless it never is: it is a restart of FRR that
// loses its configuration.
const frrEvery = 30 * time.Second

// frr is the FRR of the flags, or nil if there is none.
func (o *options) frr() *frrload.FRR {
	if o.frrDir == "" {
		return nil
	}
	return &frrload.FRR{Dir: o.frrDir, Run: o.frrRun, Reload: o.frrReload}
}

// spoken checks the flags of BGP.
func (o *options) spoken(bgp string) error {
	switch {
	case o.frrDir == "":
		return nil
	case bgp == "":
		return usage("--frr-dir has no meaning without --bgp frr")
	case !filepath.IsAbs(o.frrDir):
		return usage("--frr-dir %q: want an absolute path", o.frrDir)
	case o.frrReload != "" && !filepath.IsAbs(o.frrReload):
		return usage("--frr-reload %q: want an absolute path, or nothing", o.frrReload)
	}
	return nil
}

// speak has FRR announce addresses of Services until ctx ends; FRR goes on then.
func (s *service) speak(ctx context.Context) error {
	source, err := s.bgpSource()
	if err != nil {
		return err
	}
	f := s.options.frr()
	if err := f.Remember(s.options.stateDir); err != nil {
		s.log.Warn("planec clean will not find frr.conf", "error", err)
	}
	// Routers are not to send packets before the rules are there.
	select {
	case <-ctx.Done():
		return nil
	case <-s.isSettled:
	}
	speaker := &bgp.Speaker{
		Node: s.options.node, Settings: ipam.Settings{Classes: s.options.lbClasses}, FRR: f,
		Options: frr.Options{NoComments: s.options.noComments, Passwords: s.config.BGPPasswords},
		Source:  source, Every: min(frrEvery, s.options.verifyEvery),
		Observer: &speaking{service: s, metrics: s.report.metrics.BGP()}, Log: s.log,
	}
	return speaker.Run(ctx)
}

// bgpSource delivers what decides about announcements.
func (s *service) bgpSource() (inbox.Source, error) {
	if dir := s.options.manifestDir; dir != "" {
		// What is wrong with the files, the source of the rules says.
		return &filesource.Source{Dir: dir, Log: slog.New(slog.DiscardHandler), Report: func(diag.List) {}, AllowEmpty: s.options.allowEmpty}, nil
	}
	config, err := s.restConfig()
	if err != nil {
		return nil, err
	}
	return apisource.New(apisource.Options{
		Config: config, Node: s.options.node, BGP: true, Log: s.log,
		Report: func(all diag.List) { s.report.findings.set(aboutReadingBGP, all) },
	})
}

// speaking reports what the speaker does.
type speaking struct {
	*service
	metrics *metrics.BGP
}

var _ bgp.Observer = (*speaking)(nil)

// Announces implements [bgp.Observer].
func (s *speaking) Announces(neighbors, routes int) { s.metrics.Announces(neighbors, routes) }

// Reloaded implements [bgp.Observer].
func (s *speaking) Reloaded(cause bgp.Cause) { s.metrics.Reloaded(string(cause)) }

// Found implements [bgp.Observer].
func (s *speaking) Found(all diag.List) { s.report.findings.set(aboutBGP, all) }

// Runs implements [bgp.Observer].
func (s *speaking) Runs(err error) {
	s.metrics.Runs(err == nil)
	var all diag.List
	if err != nil {
		all.Add(diag.BGPNotLoaded, ir.Origin{}, err.Error())
	}
	s.report.findings.set(aboutFRR, all)
}

// cleanFRR has FRR run nothing of planec's any more.
func cleanFRR(ctx context.Context, stateDir string, log *slog.Logger) error {
	removed, err := frrload.CleanRecorded(ctx, stateDir)
	for _, step := range removed {
		log.Info("removed", "what", step)
	}
	return err
}
