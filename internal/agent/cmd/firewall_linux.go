package cmd

import (
	"context"
	"log/slog"

	"github.com/planec/planec/internal/agent/firewall"
	"github.com/planec/planec/ir"
)

// firewallWatch logs a foreign chain that drops traffic of Services when it first
// finds the chain.
type firewallWatch struct {
	backend string
	log     *slog.Logger
	said    map[string]bool
}

func (w *firewallWatch) look(checks []ir.HealthCheck) {
	chains, err := firewall.Look(context.Background())
	if err != nil {
		w.log.Debug("looking at the node's firewall", "error", err)
		return
	}
	now := make(map[string]bool)
	for _, warning := range firewall.Warnings(w.backend, chains, firewall.Needs{Families: ir.Families(), HealthChecks: checks}) {
		now[warning] = true
		if !w.said[warning] {
			w.log.Warn("the node's firewall drops traffic of Services", "what", warning)
		}
	}
	w.said = now
}
