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
	// Dir is the directory; those below it are not read.
	Dir string
	// Report gets everything there is to say about the files whenever it changes,
	// with [diag.UnreadFile] and [diag.OpenFile] for what could not be read. It is
	// called by Run's goroutine.
	Report func(diag.List)
	Log    *slog.Logger // nil is not allowed
	// AllowEmpty takes a directory that has no manifests any more for what it says:
	// otherwise what they said stays until there are some again.
	AllowEmpty bool
	// Spare reports whether the kernel serves what files said before this Source
	// began. A file that is wrong from the start is waited for then, as one that
	// cannot be opened: what it says cannot be known. Nil is never.
	Spare func() bool

	// watcher makes watchers; nil is the kernel's.
	watcher func() (*fsnotify.Watcher, error)
}

const (
	// quiet is how long nothing must happen before files are read: a change of
	// several files is often one.
	quiet = 20 * time.Millisecond
	// mostQuiet is how long a change waits while others keep coming.
	mostQuiet = 100 * time.Millisecond
	// firstAgain is how long a file that could not be read is left alone, longer
	// each time, at most lastAgain: nothing tells of a writer that goes.
	firstAgain = 50 * time.Millisecond
	lastAgain  = time.Second
	// pollEvery is how often the directory is looked at where the kernel tells of
	// nothing, and lookAnyway where it does: it drops notices when there are too
	// many, and has none of what links lead to.
	pollEvery  = time.Second
	lookAnyway = 30 * time.Second
)

// Run feeds the inbox until ctx ends. The inbox is complete once every file was
// read: one that cannot be opened, one that a process has open for writing, or a
// directory that is away is reported, and waited for. Later what cannot be read
// keeps saying what it said.
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
	var since time.Time // of the first notice that was not followed
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

// reading is a Source at work.
type reading struct {
	source *Source
	inbox  *inbox.Inbox
	dir    *directory
	// complete is whether everything was read once.
	complete bool
	// again is how long to wait before what could not be read is tried again.
	again time.Duration
	said  diag.List
}

// look reads what has changed and passes it on.
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

// next is how long until the next look.
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
