package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/planec/planec/internal/apply/podroutes"
	"github.com/planec/planec/ir/podnet"
)

// Times of the pod routes.
const (
	// routesSettle is how long to wait for further changes after one: a node that joins, or
	// a pod's interface, gives several.
	routesSettle = 300 * time.Millisecond
	// routesAgain is when a kernel that refused something is asked again.
	routesAgain = 10 * time.Second
)

// keepPodRoutes makes the routes to pods of other nodes, and puts back what another program
// changes. It begins when the rules are right for the first time, so that no pod is reached
// before its policies hold. When it ends the routes stay.
func (s *service) keepPodRoutes(ctx context.Context) error {
	if s.config.PodRoutes.Mode == podnet.Off {
		return nil
	}
	routes, err := podroutes.Open()
	if err != nil {
		return err
	}
	defer routes.Close()
	lost := func(err error) { s.log.Warn("changes of routes by other processes are found late", "error", err) }
	notices, err := podroutes.Watch(ctx, lost)
	if err != nil {
		lost(err)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.isSettled:
	}
	for {
		again := s.options.verifyEvery
		if err := s.putRoutes(routes); err != nil {
			s.log.Warn("some pods of other nodes may not be reached", "error", err)
			again = routesAgain
		}
		var timer <-chan time.Time // never, for 0
		if again > 0 {
			timer = time.After(again)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.inbox.NodesChanged():
		case <-notices:
		case <-timer:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(routesSettle):
		}
	}
}

// putRoutes makes the kernel's routes right once.
func (s *service) putRoutes(routes *podroutes.Routes) error {
	set, complete := s.inbox.Nodes()
	if !complete {
		return nil
	}
	p, diags, err := routes.Plan(podroutes.Input{Set: set, Node: s.options.node, Settings: s.config.PodRoutes, Config: &s.config.Config})
	s.report.findings.set(aboutRoutes, diags)
	if errors.Is(err, podroutes.ErrNoNode) {
		return nil // the finding says it
	}
	if err != nil {
		return err
	}
	if err := p.Apply(); err != nil {
		return err
	}
	logSteps(s.log, p.Steps)
	return nil
}

// mostSteps is how many changes of one time are logged one by one.
const mostSteps = 50

func logSteps(log *slog.Logger, steps []string) {
	for i, step := range steps {
		if i == mostSteps {
			log.Info("pod routes", "did", fmt.Sprintf("%d more changes", len(steps)-i))
			return
		}
		log.Info("pod routes", "did", step)
	}
}

// cleanPodRoutes removes planec's pod routes from this kernel.
func cleanPodRoutes(log *slog.Logger) error {
	routes, err := podroutes.Open()
	if err != nil {
		return err
	}
	defer routes.Close()
	p, err := routes.Clean()
	if err != nil {
		return err
	}
	if err := p.Apply(); err != nil {
		return err
	}
	for _, step := range p.Steps {
		log.Info("removed", "what", step)
	}
	return nil
}
