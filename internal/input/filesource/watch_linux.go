package filesource

import (
	"errors"
	"io/fs"
	"log/slog"

	"github.com/fsnotify/fsnotify"
)

// watch tells of changes in a directory, where the kernel does. It has few watches
// to give (inotify(7), max_user_watches and max_user_instances): without one the
// directory is looked at often.
type watch struct {
	dir  string
	log  *slog.Logger
	make func() (*fsnotify.Watcher, error)
	w    *fsnotify.Watcher
	// polling is whether there is no watch to be had, and said and flooded whether
	// the log has what went wrong.
	polling, said, flooded bool
}

// renew watches the directory if that is not done: the watch is lost with the
// directory it was on, and adding one that is there changes nothing.
func (w *watch) renew() {
	var err error
	if w.w == nil {
		w.w, err = w.make()
	}
	if err == nil {
		err = w.w.Add(w.dir)
	}
	// Of a directory that is away reading tells.
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

// failed takes an error of the watch; whatever it was, changes may have been
// missed.
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
