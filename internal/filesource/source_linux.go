package filesource

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/planec/planec/internal/inbox"
	"github.com/planec/planec/ir/diag"
)

// Source reads the manifests of a directory.
type Source struct {
	// Dir is the directory; those below it are not read.
	Dir string
	// Report gets what there is to say about the files whenever it changes.
	Report func(diag.List)
	Log    *slog.Logger
}

const (
	// quiet is how long nothing must happen before files are read: a change of
	// several files is often one.
	quiet = 20 * time.Millisecond
	// again is how long a file that is being written to is left alone.
	again = 50 * time.Millisecond
	// lookAnyway is how often the directory is looked at without a notice: the
	// kernel drops notices when there are too many.
	lookAnyway = 30 * time.Second
)

// Run feeds the inbox until ctx ends. The inbox is complete after the first
// reading. A directory that is not there is an error at the start, and later
// keeps what was read.
func (s *Source) Run(ctx context.Context, b *inbox.Inbox) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching %s: %w", s.Dir, err)
	}
	defer w.Close()
	if err := w.Add(s.Dir); err != nil {
		return fmt.Errorf("watching %s: %w", s.Dir, err)
	}
	d := newDirectory(s.Dir, s.Log)
	open, err := s.read(ctx, d, b)
	if err != nil {
		return err
	}
	b.Complete()
	timer := time.NewTimer(wait(open))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-w.Events:
			if !ok {
				return nil
			}
			timer.Reset(quiet)
		case err := <-w.Errors:
			s.Log.Warn("watching manifests", "dir", s.Dir, "error", err)
			timer.Reset(quiet)
		case <-timer.C:
			// The watch is lost with the directory it was on; adding one that is
			// there changes nothing.
			err := w.Add(s.Dir)
			if err == nil {
				open, err = s.read(ctx, d, b)
			}
			if err != nil && ctx.Err() == nil {
				s.Log.Warn("reading manifests: what was read before stays", "dir", s.Dir, "error", err)
				open = true
			}
			timer.Reset(wait(open))
		}
	}
}

func wait(open bool) time.Duration {
	if open {
		return again
	}
	return lookAnyway
}

// read passes on what has changed, and reports whether files are being written
// to.
func (s *Source) read(ctx context.Context, d *directory, b *inbox.Inbox) (open bool, err error) {
	changed, open, err := d.read(ctx)
	if err != nil || !changed {
		return open, err
	}
	d.pass(b)
	if s.Report != nil {
		s.Report(d.diagnostics())
	}
	return open, nil
}
