package apisource

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Events tells people of an object what is wrong with it, where they look for it.
// It never waits for the API server: what is too much is dropped.
type Events struct {
	source *Source
	client *rest.RESTClient
	host   string
	queue  chan *eventsv1.Event
	// told are findings that were told already and still hold.
	told map[diag.Diagnostic]bool
}

// The limits: events are for people, who read few.
const (
	eventsPerSecond = 1
	eventsBurst     = 25
	eventsWaiting   = 200
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
	return &Events{source: s, client: client, host: host, queue: make(chan *eventsv1.Event, eventsWaiting), told: make(map[diag.Diagnostic]bool)}, nil
}

// Diagnosed tells what is new in a list that has everything there is to say now.
// Notes are for nobody's attention. It is for one goroutine.
func (e *Events) Diagnosed(diags diag.List) {
	told := make(map[diag.Diagnostic]bool, len(diags))
	for _, d := range diags {
		if d.Severity() == diag.Info {
			continue
		}
		if told[d] = true; !e.told[d] {
			note := d.Message
			if d.Origin.Path != "" {
				note = d.Origin.Path + ": " + note
			}
			e.Warn(d.Origin, string(d.Code), "Compile", note)
		}
	}
	e.told = told
}

// Warn writes one event about an object.
func (e *Events) Warn(about ir.Origin, reason, action, note string) {
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
	now := metav1.NewMicroTime(time.Now())
	event := &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%.200s.%x", about.Name, now.UnixNano())},
		EventTime:           now,
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

// reference names an object that was watched.
func (s *Source) reference(o ir.Origin) (corev1.ObjectReference, bool) {
	for _, w := range s.watched {
		if w.kind.kind != o.Kind {
			continue
		}
		return corev1.ObjectReference{
			Kind: o.Kind, APIVersion: w.kind.group.String(), Namespace: o.Namespace, Name: o.Name,
			UID: w.store.uid(known{o.Namespace, o.Name}),
		}, true
	}
	return corev1.ObjectReference{}, false
}

// Run sends events until ctx ends.
func (e *Events) Run(ctx context.Context, log *slog.Logger) {
	limit := flowcontrol.NewTokenBucketRateLimiter(eventsPerSecond, eventsBurst)
	defer limit.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-e.queue:
			if limit.Wait(ctx) != nil {
				return
			}
			err := e.client.Post().Namespace(event.Namespace).Resource("events").Body(event).Do(ctx).Error()
			if err != nil && ctx.Err() == nil {
				log.Debug("writing an event", "about", event.Regarding.Name, "error", err)
			}
		}
	}
}
