package filesource

import (
	"errors"
	"io/fs"
	"log/slog"

	"github.com/fsnotify/fsnotify"
)

// watch reports changes in a directory, if the kernel can. Watches are limited
// (inotify(7), max_user_watches and max_user_instances): without one, the
// directory is polled often.
type watch struct {
	dir  string
	log  *slog.Logger
	make func() (*fsnotify.Watcher, error)
	w    *fsnotify.Watcher
	// polling reports that no watch is available; said and flooded report that the
	// log has the error.
	polling, said, flooded bool
}

// renew watches the directory again if necessary: a watch ends with its
// directory, and adding an existing one changes nothing.
func (w *watch) renew() {
	var err error
	if w.w == nil {
		w.w, err = w.make()
	}
	if err == nil {
		err = w.w.Add(w.dir)
	}
	// Reading reports a missing directory.
	w.polling = err != nil && !errors.Is(err, fs.ErrNotExist)
	if w.polling && !w.said {
		w.said = true
		w.log.Warn("the kernel does not tell of changes of manifests: they are looked for instead", "dir", w.dir, "every", pollEvery, "error", err)
	}
}

func (w *watch) events() <-chan fsnotify.Event {
	if w.w == nil {
		return nil
	}
	return w.w.Events
}

func (w *watch) errors() <-chan error {
	if w.w == nil {
		return nil
	}
	return w.w.Errors
}

// failed handles an error of the watch. Whatever it is, events may have been
// lost.
func (w *watch) failed(err error) {
	if !w.flooded {
		w.flooded = true
		w.log.Warn("watching manifests: the directory is read again, now and whenever this happens", "dir", w.dir, "error", err)
	}
}

func (w *watch) close() {
	if w.w != nil {
		w.w.Close() // nothing is written to it
	}
}
