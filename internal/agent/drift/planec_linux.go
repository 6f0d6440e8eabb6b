package drift

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// Planec reports when a planec process on this node that may have changed the
// kernel ends, for any backend: the files of its lock are then removed. It watches
// until ctx ends. paths are these files. Planec skips a directory that cannot be
// watched, and fails if none can be.
func Planec(ctx context.Context, paths []string, log *slog.Logger) (<-chan struct{}, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watching planec's locks: %w", err)
	}
	var errs []error
	for _, path := range paths {
		if err := w.Add(filepath.Dir(path)); err != nil {
			errs = append(errs, fmt.Errorf("watching planec's locks: %w", err))
		}
	}
	if len(errs) == len(paths) {
		return nil, errors.Join(append(errs, w.Close())...)
	}
	notices := make(chan struct{}, 1)
	go func() {
		defer w.Close() // w is only read
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-w.Events:
				if e.Has(fsnotify.Remove) && slices.Contains(paths, e.Name) {
					tell(notices)
				}
			case err := <-w.Errors:
				log.Debug("watching planec's locks", "error", err)
				tell(notices)
			}
		}
	}()
	return notices, nil
}
