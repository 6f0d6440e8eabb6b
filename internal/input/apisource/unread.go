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

// unread tracks which kinds the API server does not list, and why. It is safe
// for concurrent use.
type unread struct {
	report func(diag.List)

	mu    sync.Mutex
	kinds map[string]*failing
}

// failing is a kind whose last requests failed.
type failing struct {
	// reason is the first of its class: later reasons differ at most in numbers.
	class, reason string
	count         int
	said          bool
}

// patience is the number of failed requests for an already listed kind before a
// report, so that a restarting server is not reported.
const patience = 3

// failed records that a resource cannot be listed or watched; known reports
// that it could be before.
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

// worked records that a resource can be listed and watched.
func (u *unread) worked(resource string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f := u.kinds[resource]
	delete(u.kinds, resource)
	if f != nil && f.said {
		u.tell()
	}
}

// tell reports all failing kinds. The lock is held, so the last report is the last state.
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

// tell makes a ListWatch report the results of its requests: the reflector retries
// forever, less and less often, and only logs errors. If the server lacks this
// version of an optional kind, it calls stop.
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
		// A stream that begins with the list counts as a list. If the server rejects
		// it, a plain list follows, whose result counts.
		streamed := o.SendInitialEvents != nil && *o.SendInitialEvents
		if !streamed || errors.ReasonForError(err) == metav1.StatusReasonUnknown {
			w.heard(ctx, err)
		}
		return out, err
	}
}

// heard takes the result of a request. An expired version is no problem, because a
// list follows.
func (w *watched) heard(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil || errors.IsResourceExpired(err) || errors.IsGone(err):
	case err == nil:
		w.unread.worked(w.kind.title())
	default:
		w.unread.failed(w.kind.title(), err, w.store.wasListed())
	}
}
