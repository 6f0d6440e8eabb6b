package ipam_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	pools "github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/internal/agent/ipam"
	"github.com/planec/planec/internal/input/inbox"
)

// server keeps Services as an API server does: a write names the version that it is about. The
// real one is in e2e.
type server struct {
	mu       sync.Mutex
	services map[objects.Name]*corev1.Service
	version  int
	in       *inbox.Inbox
	// echo reports that watchers see writes; without it they lag behind.
	echo bool
	// refused counts writes that are refused before one is accepted.
	refused int
	writes  int
}

func (s *server) put(o *corev1.Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	o = o.DeepCopy()
	o.ResourceVersion = strconv.Itoa(s.version)
	s.services[objects.NameOf(o)] = o
	if s.in != nil {
		s.in.Put(objects.Sourced[metav1.Object]{Object: o}, time.Time{})
	}
}

func (s *server) get(name string) *corev1.Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.services[objects.Name{Namespace: "shop", Name: name}].DeepCopy()
}

// Run implements [inbox.Source].
func (s *server) Run(ctx context.Context, in *inbox.Inbox) error {
	s.mu.Lock()
	s.in = in
	for _, o := range s.services {
		in.Put(objects.Sourced[metav1.Object]{Object: o}, time.Time{})
	}
	pool := &ciliumv2.LoadBalancerIPPool{ObjectMeta: metav1.ObjectMeta{Name: "lan"}, Spec: ciliumv2.LoadBalancerIPPoolSpec{Blocks: []ciliumv2.IPBlock{{CIDR: "192.0.2.0/24"}, {CIDR: "198.51.100.0/24"}}}}
	in.Put(objects.Sourced[metav1.Object]{Object: pool}, time.Time{})
	in.Complete()
	s.mu.Unlock()
	<-ctx.Done()
	return nil
}

// Write implements [ipam.Writer].
func (s *server) Write(_ context.Context, o *corev1.Service, a *pools.Assignment) (*corev1.Service, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused > 0 {
		s.refused--
		return nil, errors.New("refused")
	}
	now := s.services[a.Service]
	if now == nil || now.ResourceVersion != o.ResourceVersion || now.UID != o.UID {
		return nil, ipam.ErrChanged
	}
	s.writes++
	s.version++
	now = now.DeepCopy()
	now.ResourceVersion = strconv.Itoa(s.version)
	now.Status.LoadBalancer.Ingress = a.Ingress(now.Status.LoadBalancer.Ingress)
	now.Status.Conditions = []metav1.Condition{ipam.ConditionOf(a)}
	s.services[a.Service] = now
	if s.echo {
		s.in.Put(objects.Sourced[metav1.Object]{Object: now}, time.Time{})
	}
	return now, nil
}

type watcher struct{}

func (watcher) Allocated(*pools.Result) {}
func (watcher) Wrote(error)             {}
func (watcher) Leads(bool)              {}

func balanced(name, uid string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(uid)},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 80}}},
	}
}

// lead runs a controller until the test ends.
func lead(t *testing.T, s *server, holds func() error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	c := &ipam.Controller{Open: func() (inbox.Source, ipam.Writer, error) { return s, s, nil }, Holds: holds, Observer: watcher{}, Log: slog.New(slog.DiscardHandler), Again: 10 * time.Millisecond}
	go func() { ended <- c.Lead(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func always() error { return nil }

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 1000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s never comes", what)
}

func addressOf(o *corev1.Service) string {
	if o == nil || len(o.Status.LoadBalancer.Ingress) == 0 {
		return ""
	}
	return o.Status.LoadBalancer.Ingress[0].IP
}

// TestLead writes to many Services, beside failures, and writes nothing twice.
func TestLead(t *testing.T) {
	s := &server{services: make(map[objects.Name]*corev1.Service), echo: true, refused: 7}
	for i := range 250 {
		s.put(balanced(fmt.Sprintf("s%03d", i), "1"))
	}
	lead(t, s, always)
	eventually(t, "the last address", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		seen := make(map[string]bool)
		for _, o := range s.services {
			if a := addressOf(o); a != "" && seen[a] {
				t.Fatalf("%s twice", a)
			}
			seen[addressOf(o)] = true
		}
		return !seen[""]
	})
	if s.mu.Lock(); s.writes != 250 {
		t.Errorf("%d writes", s.writes)
	}
	s.mu.Unlock()
}

// TestLag wants a Service that was written to keep its address while the watch still has it
// without one.
func TestLag(t *testing.T) {
	s := &server{services: make(map[objects.Name]*corev1.Service)}
	old := balanced("b", "1")
	s.put(old)
	lead(t, s, always)
	eventually(t, "the address of b", func() bool { return addressOf(s.get("b")) == "192.0.2.0" })
	s.in.Put(objects.Sourced[metav1.Object]{Object: old}, time.Time{}) // an echo of before
	s.put(balanced("a", "2"))                                          // which would come first
	eventually(t, "the address of a", func() bool { return addressOf(s.get("a")) != "" })
	if got := addressOf(s.get("a")); got != "192.0.2.1" {
		t.Errorf("a has %s, and b %s", got, addressOf(s.get("b")))
	}
}

// TestForeign wants what another controller writes over an address to stay.
func TestForeign(t *testing.T) {
	s := &server{services: make(map[objects.Name]*corev1.Service), echo: true}
	s.put(balanced("a", "1"))
	lead(t, s, always)
	eventually(t, "the address", func() bool { return addressOf(s.get("a")) != "" })
	other := s.get("a")
	other.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.7"}}
	s.put(other)
	s.put(balanced("b", "2"))
	eventually(t, "the address of b", func() bool { return addressOf(s.get("b")) != "" })
	if got := addressOf(s.get("a")); got != "203.0.113.7" {
		t.Errorf("a has %s", got)
	}
}

// TestDoubt wants nothing to be written by an agent whose Lease may be another's.
func TestDoubt(t *testing.T) {
	s := &server{services: make(map[objects.Name]*corev1.Service), echo: true}
	s.put(balanced("a", "1"))
	var mu sync.Mutex
	held, asked := false, 0
	lead(t, s, func() error {
		mu.Lock()
		defer mu.Unlock()
		if asked++; held {
			return nil
		}
		return errors.New("expired")
	})
	eventually(t, "a question", func() bool { mu.Lock(); defer mu.Unlock(); return asked > 2 })
	if got := addressOf(s.get("a")); got != "" {
		t.Errorf("a has %s", got)
	}
	mu.Lock()
	held = true
	mu.Unlock()
	eventually(t, "the address", func() bool { return addressOf(s.get("a")) != "" })
}

func TestCondition(t *testing.T) {
	a := &pools.Assignment{Outcome: pools.Served, Addresses: []pools.Address{{Addr: netip.MustParseAddr("192.0.2.1"), Pool: pools.PoolName{Kind: "CiliumLoadBalancerIPPool", Name: objects.Name{Name: "lan"}}, Cause: pools.Fresh}}}
	c := ipam.ConditionOf(a)
	if c.Message != "192.0.2.1; of CiliumLoadBalancerIPPool lan" || c.Status != metav1.ConditionTrue || c.Reason != "Allocated" {
		t.Errorf("%+v", c)
	}
	o := &corev1.Service{Status: corev1.ServiceStatus{Conditions: []metav1.Condition{c}}}
	if addrs, there := objects.Allocated(o); !there || len(addrs) != 1 || addrs[0] != a.Addresses[0].Addr {
		t.Errorf("%v %v", addrs, there)
	}
}
