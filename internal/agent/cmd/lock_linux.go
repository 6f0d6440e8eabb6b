package cmd

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/planec/planec/internal/apply/nodelock"
)

// changeWait is how long an agent waits at its start for a planec that changes the
// kernel. A node must come up: after that it goes on.
const changeWait = 30 * time.Second

// lockNode makes this the one agent of the node, until unlock. A second one is refused
// before anything is touched.
func lockNode(ctx context.Context, stateDir string, log *slog.Logger) (unlock func(), err error) {
	n, err := nodelock.On(stateDir)
	if err != nil {
		log.Warn("other planec processes are not kept out", "error", err)
		return func() {}, nil
	}
	l, err := n.Agent(ctx)
	if err != nil {
		log.Error("this agent ends and has changed nothing", "error", err)
		return nil, fmt.Errorf("%w: one agent keeps a node's rules: %w", errStarted, err)
	}
	level := slog.LevelInfo
	if !l.Held() {
		level = slog.LevelWarn
	}
	for _, note := range l.Notes() {
		log.Log(ctx, level, "a lock that keeps other planec processes out cannot be had", "error", note)
	}
	c, err := n.Change(ctx, changeWait, func(h nodelock.Holder) {
		log.Info("waiting for a planec process that changes the kernel", "process", h.String())
	})
	if err != nil {
		log.Warn("going on beside a planec process that changes the kernel", "error", err)
		return l.Release, nil
	}
	c.Release()
	return l.Release, nil
}
