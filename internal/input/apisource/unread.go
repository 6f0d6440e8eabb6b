package apisource

import (
	"context"
	stderrors "errors"
	"fmt"
	"net/url"
	"sync"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// unread knows which kinds the API server does not list, and why. It is safe for
// concurrent use.
type unread struct {
	report func(diag.List)

	mu    sync.Mutex
	kinds map[string]*failing
}

// failing is a kind whose last requests failed.
type failing struct {
	// reason is the first of its class: later ones differ in numbers at most.
	class, reason string
	count         int
	said          bool
}

// patience is how many requests for a kind that was listed once must fail before
// that is worth a word: a server that starts again is none.
const patience = 3

// failed says that a resource cannot be listed or watched; known is whether it
// could be before.
func (u *unread) failed(resource string, err error, known bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f := u.kinds[resource]
	if f == nil {
		f = &failing{}
		u.kinds[resource] = f
	}
	f.count++
	if class := string(errors.ReasonForError(err)); f.reason == "" || f.class != class {
		f.class, f.reason, f.said = class, reason(err), false
	}
	if !f.said && (!known || f.count >= patience) {
		f.said = true
		u.tell()
	}
}

// worked says that a resource can be listed and watched.
func (u *unread) worked(resource string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f := u.kinds[resource]
	delete(u.kinds, resource)
	if f != nil && f.said {
		u.tell()
	}
}

// tell reports all; the lock is held, so that the last report is the last state.
func (u *unread) tell() {
	if u.report == nil {
		return
	}
	var all diag.List
	for resource, f := range u.kinds {
		if f.said {
			all.Add(diag.UnreadKind, ir.Origin{}, resource+": "+f.reason)
		}
	}
	all.Sort()
	u.report(all)
}

// reason is an error without the request's address, whose parameters differ each
// time.
func reason(err error) string {
	var request *url.Error
	if stderrors.As(err, &request) {
		err = request.Err
	}
	if text := err.Error(); text != "" {
		return diag.Printable(text)
	}
	return fmt.Sprintf("the API server says %q and no more", errors.ReasonForError(err))
}

// tell makes a list and watch say what becomes of its requests: the reflector
// tries again for ever, later each time, and tells only the log. Where the server has
// no such version of an optional kind, stop is called.
func (w *watched) tell(lw *cache.ListWatch, stop func()) {
	list, watching := lw.ListWithContextFunc, lw.WatchFuncWithContext
	lw.ListWithContextFunc = func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		out, err := list(ctx, o)
		w.heard(ctx, err)
		if w.kind.optional && errors.IsNotFound(err) {
			stop()
		}
		return out, err
	}
	lw.WatchFuncWithContext = func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		out, err := watching(ctx, o)
		// A stream that begins with the list is a list; what a server says against
		// one is followed by a plain list, which says what matters.
		streamed := o.SendInitialEvents != nil && *o.SendInitialEvents
		if !streamed || errors.ReasonForError(err) == metav1.StatusReasonUnknown {
			w.heard(ctx, err)
		}
		return out, err
	}
}

// heard takes the outcome of a request. A version that is too old is no trouble: a
// list follows.
func (w *watched) heard(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil || errors.IsResourceExpired(err) || errors.IsGone(err):
	case err == nil:
		w.unread.worked(w.kind.resource)
	default:
		w.unread.failed(w.kind.resource, err, w.store.wasListed())
	}
}
