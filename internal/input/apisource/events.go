package apisource

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Events reports findings about an object as Events of that object, where users
// look for them. It never waits for the API server: excess events are dropped.
//
// The agents of all nodes find the same problems with an object, and may only create
// events, not read them. So the name of an event is derived from the object and the
// message: the first node creates it, and the server tells all others, and restarted
// agents, that it exists.
type Events struct {
	source *Source
	client *rest.RESTClient
	host   string
	queue  chan *eventsv1.Event
	// told are reported findings that still hold.
	told map[diag.Diagnostic]bool
	// objects are the recent reports about each object.
	objects map[ir.Origin]*said
	// delay bounds the random delay of the first of several events, so that many
	// nodes do not report at once.
	delay time.Duration
	every time.Duration
}

// said counts the reports about an object.
type said struct {
	count int
	since time.Time
}

// The limits: events are for people, who read only a few.
const (
	eventsDelay   = 10 * time.Second
	eventsEvery   = 5 * time.Second
	eventsBurst   = 3
	eventsWaiting = 200
	// eventsOfOne is the number of events for an object during eventsKept, which is
	// how long the API server keeps one, apart from one about omitted ones.
	eventsOfOne = 3
	eventsKept  = time.Hour
	// maxNote is the API server's bound on a note, in bytes.
	maxNote = 1024
)

// Controller is the reporting controller in the events.
const Controller = "planec-agent"

// Events returns a reporter of events; Run sends them.
func (s *Source) Events() (*Events, error) {
	client, err := s.clients.of(eventsv1.SchemeGroupVersion)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = s.Node
	}
	return &Events{
		source: s, client: client, host: host, queue: make(chan *eventsv1.Event, eventsWaiting),
		told: make(map[diag.Diagnostic]bool), objects: make(map[ir.Origin]*said), delay: eventsDelay, every: eventsEvery,
	}, nil
}

// Diagnosed reports what is new in the complete list of current findings. It
// skips notes. It is not safe for concurrent use.
func (e *Events) Diagnosed(diags diag.List) {
	told := make(map[diag.Diagnostic]bool, len(diags))
	for _, d := range diags {
		if d.Severity() == diag.Info {
			continue
		}
		if told[d] = true; !e.told[d] {
			e.tell(d)
		}
	}
	e.told = told
	for about, s := range e.objects {
		if time.Since(s.since) > eventsKept {
			delete(e.objects, about)
		}
	}
}

// tell writes an event about a finding, unless its object has had its share.
func (e *Events) tell(d diag.Diagnostic) {
	about := ir.Origin{Kind: d.Origin.Kind, Namespace: d.Origin.Namespace, Name: d.Origin.Name}
	s := e.objects[about]
	if s == nil {
		s = &said{since: time.Now()}
		e.objects[about] = s
	}
	switch s.count++; {
	case s.count <= eventsOfOne:
		note := d.Message
		if d.Origin.Path != "" {
			note = d.Origin.Path + ": " + note
		}
		e.write(about, string(d.Code), "Compile", note, note)
	case s.count == eventsOfOne+1:
		e.write(about, string(d.Code), "Compile", "more is wrong with this object than events are written about: planec lint shows all of it", "more")
	}
}

// Warn writes one event about a problem that many nodes may have with an object,
// each with another message: the first one stays.
func (e *Events) Warn(about ir.Origin, reason, action, note string) {
	e.write(about, reason, action, note, "")
}

// write writes one event; content distinguishes it from others with the same
// reason.
func (e *Events) write(about ir.Origin, reason, action, note, content string) {
	note = diag.Printable(note)
	if len(note) > maxNote {
		note = strings.ToValidUTF8(note[:maxNote], "")
	}
	regarding, ok := e.source.reference(about)
	if !ok {
		return
	}
	namespace := about.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	event := &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: namespace, Name: eventName(&regarding, reason, content)},
		EventTime:           metav1.NewMicroTime(time.Now()),
		ReportingController: Controller,
		ReportingInstance:   e.host,
		Action:              action,
		Reason:              reason,
		Regarding:           regarding,
		Note:                note,
		Type:                corev1.EventTypeWarning,
	}
	select {
	case e.queue <- event:
	default:
	}
}

// eventName is equal for equal reports about one object. A later object with the
// same name has another UID.
func eventName(about *corev1.ObjectReference, reason, content string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(about.UID), about.Kind, about.Namespace, about.Name, reason, content}, "\x00")))
	return fmt.Sprintf("%s.%x", strings.TrimRight(fmt.Sprintf("%.200s", about.Name), ".-"), sum[:8])
}

// reference identifies a watched object.
func (s *Source) reference(o ir.Origin) (corev1.ObjectReference, bool) {
	for _, w := range s.watched {
		if w.kind.kind != o.Kind {
			continue
		}
		return corev1.ObjectReference{
			Kind: realKind(o.Kind), APIVersion: w.kind.group.String(), Namespace: o.Namespace, Name: o.Name,
			UID: w.store.uid(objects.Name{Namespace: o.Namespace, Name: o.Name}),
		}, true
	}
	return corev1.ObjectReference{}, false
}

// realKind is the name that the API has for a kind.
func realKind(kind string) string {
	if kind == objects.KindCalicoNetworkPolicy {
		return "NetworkPolicy"
	}
	return kind
}

// Run sends events until ctx ends. After a pause, the first event waits for a
// random time.
func (e *Events) Run(ctx context.Context, log *slog.Logger) {
	limit := flowcontrol.NewTokenBucketRateLimiter(float32(time.Second)/float32(e.every), eventsBurst)
	defer limit.Stop()
	for {
		var event *eventsv1.Event
		select {
		case <-ctx.Done():
			return
		case event = <-e.queue:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(rand.N(e.delay)):
		}
		for more := true; more; {
			if limit.Wait(ctx) != nil {
				return
			}
			e.send(ctx, log, event)
			select {
			case event = <-e.queue:
			default:
				more = false
			}
		}
	}
}

func (e *Events) send(ctx context.Context, log *slog.Logger, event *eventsv1.Event) {
	err := e.client.Post().Namespace(event.Namespace).Resource("events").Body(event).Do(ctx).Error()
	if err != nil && !errors.IsAlreadyExists(err) && ctx.Err() == nil {
		log.Debug("writing an event", "about", event.Regarding.Name, "error", err)
	}
}
