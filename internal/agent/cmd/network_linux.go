package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/planec/planec/internal/input/cni"
	"github.com/planec/planec/ir/diag"
)

// lookAtNetwork is the interval of looks at the node's network plugin: a plugin that is
// installed later, or replaced, is seen in this time.
const lookAtNetwork = 10 * time.Second

// sayNetwork logs which network plugin was found, and the settings that follow: notes are
// not logged otherwise.
func (s *service) sayNetwork() {
	n := s.options.settings.Network()
	if s.config.CNI != cni.Auto || n == nil || n.System == nil {
		return // a plugin that was not found is a warning
	}
	s.log.Info("found the node's network plugin", "plugin", n.System.Name, "because", diag.Printable(strings.Join(n.Why, "; ")), "settings", strings.Join(s.options.settings.Preset(), ", "), "detectLocal", n.Preset.DetectLocal)
}

// watchNetwork returns [errChanged] when --cni auto would give other settings than those
// that hold, and nil when ctx ends. Files that are written again with the same meaning do
// not end the agent. A look that no longer finds a plugin does not either: the file of a
// plugin is away while the plugin is updated.
func (s *service) watchNetwork(ctx context.Context) error {
	if s.config.CNI != cni.Auto {
		return nil
	}
	return watchNetwork(ctx, s.options.settings.Network(), s.options.settings.LookAgain, lookAtNetwork)
}

func watchNetwork(ctx context.Context, had *cni.Found, look func() cni.Found, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if now := look(); now.System != nil && !now.Same(had) {
			return fmt.Errorf("the node's network plugin is %s now: %w", now.System.Name, errChanged)
		}
	}
}
