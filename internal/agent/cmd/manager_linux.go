package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/fsnotify/fsnotify"
)

// Messages to the service manager (sd_notify(3)).
const (
	ready    = daemon.SdNotifyReady
	stopping = daemon.SdNotifyStopping
	alive    = daemon.SdNotifyWatchdog
)

// notify sends a message to the service manager, if there is one.
func notify(state string) {
	_, _ = daemon.SdNotify(false, state) // without a manager there is no recipient
}

// watchdog tells the service manager that the agent is alive while it is healthy.
// The manager restarts an agent whose changes do not reach the kernel.
func (s *service) watchdog(ctx context.Context) error {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("the service manager's watchdog: %w", err)
	}
	if interval == 0 {
		return nil
	}
	ticker := time.NewTicker(interval / 2)
	defer ticker.Stop()
	for {
		if s.report.status.Healthy() {
			notify(alive)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// errChanged ends the agent, as it ends kube-proxy.
var errChanged = errors.New("the configuration has changed: to be started again")

// watchFiles returns [errChanged] when one of the files changes, and nil when ctx
// ends. It watches their directories, because files of a ConfigMap are symbolic
// links whose target changes through another link in the directory.
func watchFiles(ctx context.Context, files []string, log *slog.Logger) error {
	if len(files) == 0 {
		return nil
	}
	before := make(map[string]string, len(files))
	for _, f := range files {
		before[f] = content(f)
	}
	events, errs, stop := watchDirectories(files, log)
	defer stop()
	look := time.NewTicker(lookAtFiles)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-errs:
			log.Warn("watching the configuration", "error", err)
		case <-events:
			time.Sleep(50 * time.Millisecond) // changes often come in groups
		case <-look.C:
		}
		for f, had := range before {
			if now := content(f); now != had && now != "" {
				return fmt.Errorf("%s: %w", f, errChanged)
			}
		}
	}
}

// lookAtFiles is the interval of reading the files in addition to watching: the
// kernel's watches are limited (inotify(7)), and it drops notices.
const lookAtFiles = 10 * time.Second

// watchDirectories watches the directories of files, as far as possible.
func watchDirectories(files []string, log *slog.Logger) (<-chan fsnotify.Event, <-chan error, func()) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("the kernel does not tell of changes of the configuration: it is looked at instead", "every", lookAtFiles, "error", err)
		return nil, nil, func() {}
	}
	for _, f := range files {
		if err := w.Add(filepath.Dir(f)); err != nil {
			log.Warn("the kernel does not tell of changes of a file: it is looked at instead", "file", f, "every", lookAtFiles, "error", err)
		}
	}
	return w.Events, w.Errors, func() { w.Close() }
}

// content returns the content of a file, or "" if it does not exist.
func content(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return string(text)
}
