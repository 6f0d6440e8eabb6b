package e2e_test

import (
	"net/netip"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/cluster"
)

// TestEvents makes two Services that claim one address and port, which the API
// server takes. One of them gets an Event, found as `kubectl describe` finds
// those of an object, and the rest of the cluster is served.
func TestEvents(t *testing.T) {
	s := newStand(t, tools...)
	a := agent.New(t, s.node, s.agentOptions(t, "nftables"))
	start(t, a)
	services := s.Client().CoreV1().Services(metav1.NamespaceDefault)
	older := cluster.Service("older", netip.Addr{})
	older.Spec.ExternalIPs = []string{"203.0.113.7"}
	_, err := services.Create(t.Context(), older, metav1.CreateOptions{})
	must(t, err)
	time.Sleep(1100 * time.Millisecond) // ages are told in seconds
	younger := cluster.Service("younger", netip.Addr{})
	younger.Spec.ExternalIPs = older.Spec.ExternalIPs
	younger, err = services.Create(t.Context(), younger, metav1.CreateOptions{})
	must(t, err)

	found := s.event(t, younger)
	if found.Reason != "PLC0104" || found.Type != corev1.EventTypeWarning {
		t.Errorf("event %s %s: %s", found.Type, found.Reason, found.Note)
	}
	t.Logf("%s %s: %s", found.Type, found.Reason, found.Note)
	if n := values(t, a)[`planec_diagnostics{code="PLC0104",severity="warning"}`]; n != 1 {
		t.Errorf("%v diagnostics of PLC0104 in the metrics, want 1", n)
	}
	served(within(t, 10*time.Second), t, idle{s.rig}, s.serve(t, "fine", "10.96.0.10"))

	must(t, services.Delete(t.Context(), "older", metav1.DeleteOptions{}))
	ctx := within(t, 10*time.Second)
	for values(t, a)[`planec_diagnostics{code="PLC0104",severity="warning"}`] != 0 {
		if ctx.Err() != nil {
			t.Fatal("what is mended is still told")
		}
		time.Sleep(20 * time.Millisecond)
	}
	all, err := s.Client().EventsV1().Events(metav1.NamespaceDefault).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	// The API server's own controllers write some too.
	own := 0
	for _, e := range all.Items {
		t.Logf("%s: %s %s about %s %s: %s", e.ReportingController, e.Type, e.Reason, e.Regarding.Kind, e.Regarding.Name, e.Note)
		if e.ReportingController == "planec-agent" {
			own++
		}
	}
	if own != 1 {
		t.Errorf("%d events of the agent, want the one", own)
	}
}

// event waits for the agent's event about a Service, by the fields that kubectl selects
// (Search of client-go's core/v1 EventInterface). The API server may write one too:
// that it has to repair the allocation of a ClusterIP which was made just now.
func (s *stand) event(t *testing.T, about *corev1.Service) eventsv1.Event {
	t.Helper()
	where := fields.Set{"regarding.uid": string(about.UID), "regarding.name": about.Name, "regarding.kind": "Service"}
	ctx := within(t, 20*time.Second)
	for {
		list, err := s.Client().EventsV1().Events(about.Namespace).List(ctx, metav1.ListOptions{FieldSelector: where.AsSelector().String()})
		must(t, err)
		for _, e := range list.Items {
			if e.ReportingController == "planec-agent" {
				return e
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}
