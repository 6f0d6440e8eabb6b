package filesource

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/ir/diag"
)

// Source reads the manifests of a directory.
type Source struct {
	// Dir is the directory; subdirectories are not read.
	Dir string
	// Report receives all diagnostics about the files at every change, with
	// [diag.UnreadFile] and [diag.OpenFile] for unreadable files. Run's goroutine
	// calls it.
	Report func(diag.List)
	Log    *slog.Logger // receives errors; not nil
	// AllowEmpty accepts a directory that has no manifests any more. Otherwise
	// their objects stay until there are manifests again.
	AllowEmpty bool
	// Spare reports that the kernel serves what files said before this Source
	// began. Then the source waits for a file that is wrong from the start, like
	// for an unreadable one, because its content is unknown. Nil means never.
	Spare func() bool

	// watcher makes watchers; nil uses the kernel's.
	watcher func() (*fsnotify.Watcher, error)
}

const (
	// quiet is the time without events before files are read: a change of
	// several files is often one.
	quiet = 20 * time.Millisecond
	// mostQuiet bounds the delay of a change while others keep coming.
	mostQuiet = 100 * time.Millisecond
	// firstAgain is the delay before an unreadable file is tried again; it grows
	// up to lastAgain. No event reports that a writer has finished.
	firstAgain = 50 * time.Millisecond
	lastAgain  = time.Second
	// pollEvery is the polling interval if the kernel reports no events, and
	// lookAnyway if it does: it drops events if there are too many, and reports
	// none behind links.
	pollEvery  = time.Second
	lookAnyway = 30 * time.Second
)

// Run feeds the inbox until ctx ends. The inbox is complete once every file was
// read. Run reports, and waits for, an unreadable file, a file that a process
// has open for writing, and a missing directory. Later, what cannot be read
// keeps its previous content.
func (s *Source) Run(ctx context.Context, b *inbox.Inbox) error {
	r := &reading{source: s, inbox: b, dir: newDirectory(s.Dir), again: firstAgain}
	r.dir.allowEmpty, r.dir.spare = s.AllowEmpty, s.Spare
	w := &watch{dir: s.Dir, log: s.Log, make: s.watcher}
	if w.make == nil {
		w.make = fsnotify.NewWatcher
	}
	defer w.close()
	w.renew()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var since time.Time // of the first unhandled event
	noticed := func() {
		if since.IsZero() {
			since = time.Now()
		}
		r.again = firstAgain
		timer.Reset(min(quiet, max(0, time.Until(since.Add(mostQuiet)))))
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-w.events():
			if !ok {
				return nil
			}
			noticed()
		case err := <-w.errors():
			w.failed(err)
			noticed()
		case <-timer.C:
			since = time.Time{}
			w.renew()
			r.look(ctx)
			if ctx.Err() != nil {
				return nil
			}
			timer.Reset(r.next(w.polling))
		}
	}
}

// reading is a running Source.
type reading struct {
	source *Source
	inbox  *inbox.Inbox
	dir    *directory
	// complete reports that everything was read once.
	complete bool
	// again is the delay before unreadable files are tried again.
	again time.Duration
	said  diag.List
}

// look reads all changes and passes them on.
func (r *reading) look(ctx context.Context) {
	changed := r.dir.read(ctx)
	if ctx.Err() != nil {
		return
	}
	if changed {
		r.dir.pass(r.inbox)
	}
	if !r.complete && len(r.dir.unread) == 0 {
		r.complete = true
		r.dir.spare = nil
		r.inbox.Complete()
	}
	now := r.dir.findings(!r.complete)
	if r.source.Report != nil && !slices.Equal(now, r.said) {
		r.source.Report(now)
	}
	r.said = now
}

// next is the delay before the next look.
func (r *reading) next(polling bool) time.Duration {
	wait := lookAnyway
	if polling {
		wait = pollEvery
	}
	if len(r.dir.unread) == 0 {
		r.again = firstAgain
		return wait
	}
	wait = min(wait, r.again)
	r.again = min(2*r.again, lastAgain)
	return wait
}
