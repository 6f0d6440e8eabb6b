package cmd

import (
	"fmt"

	"github.com/planec/planec/internal/agent/fqdn"
	"github.com/planec/planec/internal/agent/metrics"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// learned checks the flags about answers of DNS.
func (o *options) learned() error {
	switch {
	case o.fqdnTTL < 0:
		return usage("--fqdn-ttl-min %v: want a duration that is not negative", o.fqdnTTL)
	case o.fqdnListen != "" && !o.policies:
		return usage("--fqdn-listen has no meaning without --policies")
	}
	return nil
}

// learn opens the socket for answers of DNS, and returns what reads it; nil where there is none.
func (s *service) learn() (*fqdn.Feeder, error) {
	if s.options.fqdnListen == "" {
		return nil, nil
	}
	l, err := fqdn.Listen(s.options.fqdnListen)
	if err != nil {
		return nil, fmt.Errorf("--fqdn-listen: %w", err)
	}
	f := &fqdn.Feeder{
		Listener: l, Inbox: s.inbox, Given: s.config.Config.Domains, Floor: s.options.fqdnTTL, StateDir: s.options.stateDir,
		Observer: &learning{service: s, FQDN: s.report.metrics.FQDN()}, Log: s.log,
	}
	f.Restore()
	return f, nil
}

// learning reports what the feeder does.
type learning struct {
	*service
	*metrics.FQDN
	full bool
}

var _ fqdn.Observer = (*learning)(nil)

// Framed implements [fqdn.Observer].
func (l *learning) Framed(r fqdn.Result) { l.FQDN.Framed(string(r)) }

// Full implements [fqdn.Observer].
func (l *learning) Full(full bool) {
	if full == l.full {
		return
	}
	l.full = full
	var all diag.List
	if full {
		all.Add(diag.FQDNLimit, ir.Origin{}, "there is no room for all addresses that answers say of names in policies")
	}
	l.report.findings.set(aboutFQDN, all)
}
