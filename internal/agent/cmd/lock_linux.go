package cmd

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/planec/planec/internal/apply/nodelock"
)

// changeWait is how long a starting agent waits for another planec process that
// changes the kernel. Then it continues, because a node must come up.
const changeWait = 30 * time.Second

// lockNode makes this process the only agent of the node until unlock. It refuses
// a second agent before that changes anything.
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
