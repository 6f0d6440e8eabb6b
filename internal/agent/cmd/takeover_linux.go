package cmd

import (
	"context"

	"github.com/planec/planec/internal/agent/takeover"
)

// takeOver removes kube-proxy's rules after planec's rules were applied and verified. It
// reports whether it succeeded; otherwise it is called again after the next change.
func (s *service) takeOver(ctx context.Context) bool {
	removed, kept, err := takeover.FromKubeProxy(ctx, s.backend.Name())
	for _, what := range removed {
		s.log.Info("taken over from kube-proxy", "removed", what)
	}
	for _, what := range kept {
		s.log.Warn("not taken over from kube-proxy: accept what endpoints and health check ports get in that firewall, then remove the chain", "left", what)
	}
	if err != nil {
		s.log.Error("taking over from kube-proxy: some of its rules are left", "error", err)
	}
	return err == nil
}
