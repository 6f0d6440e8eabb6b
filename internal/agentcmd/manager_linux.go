package agentcmd

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

// What the service manager is told (sd_notify(3)).
const (
	ready    = daemon.SdNotifyReady
	stopping = daemon.SdNotifyStopping
	alive    = daemon.SdNotifyWatchdog
)

// notify tells the service manager, if there is one.
func notify(state string) {
	_, _ = daemon.SdNotify(false, state) // without a manager there is nobody to tell
}

// watchdog tells the service manager that the agent is alive for as long as it is
// healthy: one whose changes do not reach the kernel is started again.
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
// ends. Their directories are watched, since files of a ConfigMap are links that
// change with another link beside them.
func watchFiles(ctx context.Context, files []string, log *slog.Logger) error {
	if len(files) == 0 {
		return nil
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	before := make(map[string]string, len(files))
	for _, f := range files {
		before[f] = content(f)
		if err := w.Add(filepath.Dir(f)); err != nil {
			return fmt.Errorf("watching %s: %w", f, err)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-w.Errors:
			log.Warn("watching the configuration", "error", err)
		case <-w.Events:
			time.Sleep(50 * time.Millisecond) // a change is often several
			for f, had := range before {
				if now := content(f); now != had && now != "" {
					return fmt.Errorf("%s: %w", f, errChanged)
				}
			}
		}
	}
}

// content is a file's, or "" while it is not there.
func content(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return string(text)
}
