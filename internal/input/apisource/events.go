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

// Events tells people of an object what is wrong with it, where they look for it.
// It never waits for the API server: what is too much is dropped.
//
// Every node's agent finds the same wrong with an object of the cluster, and may only
// create events, not look for them. So an event has a name made of the object and of
// what it says: the first node that tells creates it, the others and those that
// start again are answered that it is there.
type Events struct {
	source *Source
	client *rest.RESTClient
	host   string
	queue  chan *eventsv1.Event
	// told are findings that were told already and still hold.
	told map[diag.Diagnostic]bool
	// objects are what was told of which lately.
	objects map[ir.Origin]*said
	// delay is at most how long the first of some events waits, so that many nodes
	// do not tell at once.
	delay time.Duration
	every time.Duration
}

// said counts what was told of an object.
type said struct {
	count int
	since time.Time
}

// The limits: events are for people, who read few.
const (
	eventsDelay   = 10 * time.Second
	eventsEvery   = 5 * time.Second
	eventsBurst   = 3
	eventsWaiting = 200
	// eventsOfOne is how many events an object gets in eventsKept, which is how long
	// the API server keeps one, besides one that there is more.
	eventsOfOne = 3
	eventsKept  = time.Hour
	// maxNote is the API server's bound on a note, in bytes.
	maxNote = 1024
)

// Controller names who writes the events.
const Controller = "planec-agent"

// Events returns a writer of events; Run sends them.
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

// Diagnosed tells what is new in a list that has everything there is to say now.
// Notes need no attention. It is for one goroutine.
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

// tell writes an event about a finding, if its object has not had its share.
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

// Warn writes one event about an object that many nodes may have the same trouble
// with, each in words of its own: the first one stays.
func (e *Events) Warn(about ir.Origin, reason, action, note string) {
	e.write(about, reason, action, note, "")
}

// write writes one event; content is what makes it another one than others with its
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

// eventName is the same for all who say the same of one object: of another object
// with its name the UID differs.
func eventName(about *corev1.ObjectReference, reason, content string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(about.UID), about.Kind, about.Namespace, about.Name, reason, content}, "\x00")))
	return fmt.Sprintf("%s.%x", strings.TrimRight(fmt.Sprintf("%.200s", about.Name), ".-"), sum[:8])
}

// reference names an object that was watched.
func (s *Source) reference(o ir.Origin) (corev1.ObjectReference, bool) {
	for _, w := range s.watched {
		if w.kind.kind != o.Kind {
			continue
		}
		return corev1.ObjectReference{
			Kind: o.Kind, APIVersion: w.kind.group.String(), Namespace: o.Namespace, Name: o.Name,
			UID: w.store.uid(objects.Name{Namespace: o.Namespace, Name: o.Name}),
		}, true
	}
	return corev1.ObjectReference{}, false
}

// Run sends events until ctx ends. After a pause the first one waits for a time of
// this node's own.
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
