package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/cluster"
	"github.com/planec/planec/e2e/internal/traffic"
)

// churn changes and breaks a stand at random.
type churn struct {
	*stand
	t      *testing.T
	agent  *agent.Agent
	load   *traffic.Load
	rng    *rand.Rand
	counts map[string]int
	// served counts the Services that were made to see whether all still works.
	served int
}

// String says how often what was done.
func (c *churn) String() string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(c.counts)) {
		all = append(all, fmt.Sprintf("%s %d", what, c.counts[what]))
	}
	return strings.Join(all, ", ")
}

// action is something to do. What fails because the API server is away is done
// another time.
type action struct {
	name string
	do   func(*churn, int) error
}

// changes are small and come often; n tells their objects apart.
var changes = []action{
	{"service", (*churn).service},
	{"slice", (*churn).slice},
	{"slice", (*churn).slice},
	{"slice", (*churn).slice},
	{"policy", (*churn).policy},
	{"pod", (*churn).podChange},
}

// faults come seldom. The agent itself is killed only while it warms up, for who
// starts anew has no leaks.
var faults = []action{
	{"fault:api-server-killed", func(c *churn, _ int) error {
		if err := c.APIServer.Kill(); err != nil {
			return err
		}
		time.Sleep(c.rngFor(2 * time.Second))
		return c.APIServer.Start(within(c.t, time.Minute))
	}},
	{"fault:etcd-hung", func(c *churn, _ int) error {
		if err := c.Etcd.Stop(); err != nil {
			return err
		}
		time.Sleep(c.rngFor(2 * time.Second))
		if err := c.Etcd.Continue(); err != nil {
			return err
		}
		return c.APIServer.Ready(within(c.t, time.Minute))
	}},
	{"fault:etcd-killed", func(c *churn, _ int) error {
		if err := c.Etcd.Restart(within(c.t, time.Minute)); err != nil {
			return err
		}
		return c.APIServer.Ready(within(c.t, time.Minute))
	}},
	{"fault:watch-expired", func(c *churn, _ int) error { return c.ExpireWatches(within(c.t, time.Minute)) }},
	{"fault:drift", (*churn).sabotage},
	{"fault:agent-hung", func(c *churn, _ int) error {
		if err := c.agent.Stop(); err != nil {
			return err
		}
		time.Sleep(c.rngFor(2 * time.Second))
		return c.agent.Continue()
	}},
}

func (c *churn) rngFor(most time.Duration) time.Duration {
	return time.Duration(c.rng.Int64N(int64(most)))
}

// run changes until the time is over, with a fault now and then; warming up, it
// goes through every fault once.
func (c *churn) run(until time.Time, warm bool) {
	c.t.Helper()
	if warm {
		must(c.t, c.agent.Kill())
		start(c.t, c.agent)
	}
	nextFault, fault := time.Now(), 0
	for time.Now().Before(until) || warm && fault < len(faults) {
		if time.Now().After(nextFault) {
			which := fault
			if !warm {
				which = c.rng.IntN(len(faults))
			}
			fault++
			c.perform(faults[which%len(faults)], 0)
			c.works()
			nextFault = time.Now().Add(time.Second + c.rngFor(20*time.Second))
			if warm {
				nextFault = time.Now().Add(time.Second)
			}
		}
		c.perform(changes[c.rng.IntN(len(changes))], c.rng.IntN(churned))
		time.Sleep(c.rngFor(40 * time.Millisecond))
	}
}

// churned is how many objects of a kind come and go.
const churned = 40

func (c *churn) perform(a action, n int) {
	c.t.Helper()
	err := a.do(c, n)
	switch {
	case err == nil:
		c.counts[a.name]++
	case strings.HasPrefix(a.name, "fault:"):
		c.t.Fatalf("%s: %v", a.name, err)
	default:
		// An object that is there, or not, or an address that is not free yet.
		c.counts[a.name+" refused"]++
	}
}

// works makes a Service, wants it served and removes it.
func (c *churn) works() {
	c.t.Helper()
	c.served++
	name := fmt.Sprintf("works-%d", c.served)
	served(within(c.t, time.Minute), c.t, c.load, c.serve(c.t, name, netip.AddrFrom4([4]byte{10, 97, byte(c.served >> 8), byte(c.served)}).String()))
	must(c.t, c.remove(name))
}

func (c *churn) remove(name string) error {
	err := c.Client().CoreV1().Services("default").Delete(c.t.Context(), name, metav1.DeleteOptions{})
	if err != nil {
		return err
	}
	return c.Client().DiscoveryV1().EndpointSlices("default").Delete(c.t.Context(), name+"-e2e", metav1.DeleteOptions{})
}

// service makes a Service with its slice, or removes it.
func (c *churn) service(n int) error {
	name := fmt.Sprintf("churned-%d", n)
	// The API server chooses the address: it is slow to take one back.
	service := cluster.Service(name, netip.Addr{})
	if n%3 == 0 {
		service.Spec.Type = corev1.ServiceTypeNodePort
	}
	_, err := c.Client().CoreV1().Services("default").Create(c.t.Context(), service, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return c.remove(name)
	}
	if err != nil {
		return err
	}
	_, err = c.Client().DiscoveryV1().EndpointSlices("default").
		Create(c.t.Context(), cluster.Slice(name, nodeName, targetPort, pods...), metav1.CreateOptions{})
	return err
}

// slice gives a slice of the large cluster one endpoint less, or others.
func (c *churn) slice(n int) error {
	s, err := c.nth(n)
	if err != nil {
		return err
	}
	if len(s.Endpoints) > 2 && c.rng.IntN(2) == 0 {
		s.Endpoints = s.Endpoints[1:]
	} else {
		s.Endpoints[0].Addresses = []string{netip.AddrFrom4([4]byte{10, 200, byte(n), byte(1 + c.rng.IntN(250))}).String()}
	}
	_, err = c.Client().DiscoveryV1().EndpointSlices(s.Namespace).Update(c.t.Context(), s, updateOptions)
	return err
}

// nth is the slice of the n-th Service of clustergen's.
func (c *churn) nth(n int) (*discoveryv1.EndpointSlice, error) {
	list, err := c.Client().DiscoveryV1().EndpointSlices("team-0001").List(c.t.Context(), metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return &list.Items[n%len(list.Items)], nil
}

// policy makes a NetworkPolicy that selects churned pods, or removes it.
func (c *churn) policy(n int) error {
	policies := c.Client().NetworkingV1().NetworkPolicies("default")
	p := &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("churned-%d", n)},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"app": fmt.Sprintf("churned-%d", n)}},
			Ingress: []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{
				PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": fmt.Sprintf("churned-%d", (n+1)%churned)}},
			}}}},
		},
	}
	_, err := policies.Create(c.t.Context(), p, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return policies.Delete(c.t.Context(), p.Name, metav1.DeleteOptions{})
	}
	return err
}

// podChange makes a Pod, or removes it.
func (c *churn) podChange(n int) error {
	name := fmt.Sprintf("churned-%d", n)
	err := c.Client().CoreV1().Pods("default").Delete(c.t.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)})
	if apierrors.IsNotFound(err) {
		c.pod(c.t, name, netip.AddrFrom4([4]byte{10, 1, 3, byte(n + 1)}))
		return nil
	}
	return err
}

// sabotage puts a foreign object into planec's table, and waits until it
// is gone.
func (c *churn) sabotage(int) error {
	if _, err := c.rig.Run("", "nft", "add", "set", "ip", "planec", "foreign", "{ type ipv4_addr; }"); err != nil {
		return err
	}
	for ctx := within(c.t, 10*time.Second); ; time.Sleep(50 * time.Millisecond) {
		text, err := c.rig.Run("", "nft", "list", "sets", "ip")
		if err != nil || !strings.Contains(text, "set foreign") {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the foreign set is still in planec's table")
		}
	}
}

// stock puts everything as it was at first, waits until the kernel has it, and
// takes stock.
func (c *churn) stock(when string) stock {
	c.t.Helper()
	ctx := c.t.Context()
	for n := range churned {
		name := fmt.Sprintf("churned-%d", n)
		for _, err := range []error{
			c.Client().CoreV1().Services("default").Delete(ctx, name, metav1.DeleteOptions{}),
			c.Client().DiscoveryV1().EndpointSlices("default").Delete(ctx, name+"-e2e", metav1.DeleteOptions{}),
			c.Client().NetworkingV1().NetworkPolicies("default").Delete(ctx, name, metav1.DeleteOptions{}),
			c.Client().CoreV1().Pods("default").Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)}),
		} {
			if !apierrors.IsNotFound(err) {
				must(c.t, err)
			}
		}
	}
	list, err := c.Client().DiscoveryV1().EndpointSlices("team-0001").List(ctx, metav1.ListOptions{})
	must(c.t, err)
	for i := range list.Items {
		s := &list.Items[i]
		for j := range s.Endpoints {
			s.Endpoints[j].Addresses = []string{netip.AddrFrom4([4]byte{10, 201, byte(i), byte(j + 1)}).String()}
		}
		for len(s.Endpoints) < benchEndpoints {
			more := *s.Endpoints[0].DeepCopy()
			more.Addresses = []string{netip.AddrFrom4([4]byte{10, 201, byte(i), byte(len(s.Endpoints) + 1)}).String()}
			more.TargetRef = nil
			s.Endpoints = append(s.Endpoints, more)
		}
		_, err := c.Client().DiscoveryV1().EndpointSlices(s.Namespace).Update(ctx, s, updateOptions)
		must(c.t, err)
	}
	c.works()
	time.Sleep(3 * time.Second) // what was gathered with it is in
	must(c.t, c.agent.Collect(ctx))
	st := stock{when: when, kernel: c.ownRules()}
	v := values(c.t, c.agent)
	st.heap, st.goroutines = v["go_memstats_heap_alloc_bytes"], v[agent.Goroutines]
	st.Usage, err = c.agent.Usage()
	must(c.t, err)
	return st
}

// counters change without a change of the rules.
var counters = regexp.MustCompile(`counter packets \d+ bytes \d+`)

// ownRules returns everything that the kernel has in planec's tables, except for counters.
func (c *churn) ownRules() string {
	c.t.Helper()
	text, err := c.rig.Run("", "nft", "list", "ruleset")
	must(c.t, err)
	return counters.ReplaceAllString(text, "counter")
}
