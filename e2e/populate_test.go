package e2e_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/internal/testing/clustergen"
)

// TestPopulate fills the cluster with a generated one. The API server lists all
// of it, and takes the objects back: they pass its validation.
func TestPopulate(t *testing.T) {
	s := newStand(t)
	const services, endpoints = 10000, 5
	set := clustergen.Objects(clustergen.Size{Services: services, Endpoints: endpoints})
	start := time.Now()
	must(t, s.Populate(t.Context(), set))
	t.Logf("%d Services and their slices in %v", services, time.Since(start).Round(time.Millisecond))

	ctx := within(t, time.Minute)
	slices, err := s.Client().DiscoveryV1().EndpointSlices(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	must(t, err)
	if have := len(slices.Items); have != services+1 { // and default/kubernetes
		t.Errorf("%d EndpointSlices, want %d", have, services+1)
	}
	for _, which := range []int{0, services / 2, services - 1} {
		at := set.Services[which].Object
		service, err := s.Client().CoreV1().Services(at.Namespace).Get(ctx, at.Name, metav1.GetOptions{})
		must(t, err)
		service.Spec.Ports[0].Port = 81
		_, err = s.Client().CoreV1().Services(at.Namespace).Update(ctx, service, metav1.UpdateOptions{})
		must(t, err)
		slice := set.EndpointSlices[which].Object.DeepCopy()
		slice.Endpoints = slice.Endpoints[1:]
		_, err = s.Client().DiscoveryV1().EndpointSlices(at.Namespace).Update(ctx, slice, metav1.UpdateOptions{})
		must(t, err)
	}
	usage(t, s)
}
