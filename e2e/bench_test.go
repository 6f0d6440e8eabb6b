package e2e_test

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/nftwatch"
	"github.com/planec/planec/internal/testing/clustergen"
)

// large is a stand with a generated cluster and an agent that has applied it.
type large struct {
	*stand
	agent  *agent.Agent
	kernel *nftwatch.Watch
	slices []*discoveryv1.EndpointSlice
	client *kubernetes.Clientset
	// marks is how many addresses of nftwatch.Mark have been used.
	marks int
}

const benchEndpoints = 5

// newLarge has as many Services.
func newLarge(b *testing.B, services int) *large {
	b.Helper()
	s := newStand(b, tools...)
	must(b, s.Populate(b.Context(), clustergen.Objects(clustergen.Size{Services: services, Endpoints: benchEndpoints})))
	// Much at once is better told in protobuf.
	config := s.Config()
	config.ContentType = runtime.ContentTypeProtobuf
	client, err := kubernetes.NewForConfig(config)
	must(b, err)
	l := &large{stand: s, client: client}
	l.agent = agent.New(b, s.node, s.agentOptions(b, "nftables", "--profiling"))
	begin := time.Now()
	must(b, l.agent.Start())
	must(b, l.agent.Applied(within(b, 5*time.Minute)))
	b.ReportMetric(time.Since(begin).Seconds(), "s-to-first-rules")
	l.list(b)
	l.kernel = nftwatch.Start(b, s.node)
	return l
}

// list gets the slices as the API server has them.
func (l *large) list(b *testing.B) {
	b.Helper()
	list, err := l.client.DiscoveryV1().EndpointSlices("").List(b.Context(), metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName})
	must(b, err)
	l.slices = nil
	for i := range list.Items {
		if s := &list.Items[i]; len(s.Endpoints) == benchEndpoints {
			l.slices = append(l.slices, s)
		}
	}
}

// mark gives a slice an endpoint whose address is seen in the kernel.
func (l *large) mark(s *discoveryv1.EndpointSlice) (mark int) {
	l.marks++
	s.Endpoints[2].Addresses = []string{nftwatch.Marked(l.marks).String()}
	return l.marks
}

// BenchmarkAgent are the figures of the agent against a real API server, on one
// machine with it, etcd and the clients that write. Times end when a listener in
// the node's namespace hears from the kernel that a transaction with the change
// in it was committed, and begin before the change is sent to the API server.
func BenchmarkAgent(b *testing.B) {
	b.Run("10000x5", func(b *testing.B) {
		l := newLarge(b, 10000)
		l.latency(b)
		l.burst(b)
		l.idle(b)
	})
	b.Run("30000x5", func(b *testing.B) {
		l := newLarge(b, 30000)
		time.Sleep(5 * time.Second) // what is garbage goes back to the system
		l.memory(b, "started")
		l.latency(b)
		l.memory(b, "after-changes")
	})
}

// latency is the time from a write to the rule, under changesPerSecond.
func (l *large) latency(b *testing.B) {
	b.Helper()
	const changesPerSecond, duration = 50, time.Minute
	type change struct {
		mark          int
		sent, written time.Time
	}
	changes := make([]change, changesPerSecond*int(duration/time.Second))
	tick := time.NewTicker(time.Second / changesPerSecond)
	defer tick.Stop()
	var writes sync.WaitGroup
	before, err := l.agent.Usage()
	must(b, err)
	for i := range changes {
		<-tick.C
		s := l.slices[(i*7919)%len(l.slices)]
		c := &changes[i]
		c.mark = l.mark(s)
		writes.Go(func() {
			c.sent = time.Now()
			if _, err := l.client.DiscoveryV1().EndpointSlices(s.Namespace).Update(context.Background(), s, metav1.UpdateOptions{}); err != nil {
				b.Error(err)
			}
			c.written = time.Now()
		})
	}
	writes.Wait()
	l.await(b, changes[len(changes)-1].mark)
	after, err := l.agent.Usage()
	must(b, err)
	var all, own []time.Duration
	for _, c := range changes {
		at, ok := l.kernel.Seen(nftwatch.Marked(c.mark))
		if !ok {
			b.Errorf("change %d never reached the kernel", c.mark)
			continue
		}
		all, own = append(all, at.Sub(c.sent)), append(own, at.Sub(c.written))
	}
	l.list(b)
	for _, q := range []struct {
		name string
		at   float64
	}{{"p50", .5}, {"p99", .99}, {"max", 1}} {
		b.ReportMetric(quantile(all, q.at).Seconds()*1e3, q.name+"-ms")
	}
	b.ReportMetric(quantile(own, .99).Seconds()*1e3, "p99-ms-after-the-answer")
	b.ReportMetric((after.CPU-before.CPU).Seconds()/duration.Seconds()*100, "cpu-%-at-50/s")
}

func quantile(d []time.Duration, q float64) time.Duration {
	slices.Sort(d)
	if len(d) == 0 {
		return 0
	}
	return d[max(int(math.Ceil(q*float64(len(d))))-1, 0)]
}

// await waits until a mark is in the kernel.
func (l *large) await(b *testing.B, mark int) (at time.Time) {
	b.Helper()
	for ctx := within(b, time.Minute); ; time.Sleep(5 * time.Millisecond) {
		at, ok := l.kernel.Seen(nftwatch.Marked(mark))
		switch {
		case ok:
			return at
		case ctx.Err() != nil:
			b.Fatalf("change %d never reached the kernel", mark)
		}
	}
}

// burst changes 5,000 slices at once, as a rollout does.
func (l *large) burst(b *testing.B) {
	b.Helper()
	const changed = 5000
	some := l.slices[:changed]
	first := l.marks + 1
	for _, s := range some {
		l.mark(s)
	}
	transactions, _, err := l.kernel.Count()
	must(b, err)
	begin := time.Now()
	must(b, l.Rewrite(b.Context(), some))
	written := time.Since(begin)
	var last time.Time
	for mark := first; mark <= l.marks; mark++ {
		if at := l.await(b, mark); at.After(last) {
			last = at
		}
	}
	now, _, err := l.kernel.Count()
	must(b, err)
	b.ReportMetric(float64(now-transactions), "transactions/burst")
	b.ReportMetric(last.Sub(begin).Seconds(), "s/burst")
	b.ReportMetric(written.Seconds(), "s-to-write-burst")
}

// idle is what the agent takes while nothing changes.
func (l *large) idle(b *testing.B) {
	b.Helper()
	const settle, duration = 20 * time.Second, 90 * time.Second
	time.Sleep(settle)
	before, err := l.agent.Usage()
	must(b, err)
	time.Sleep(duration)
	after, err := l.agent.Usage()
	must(b, err)
	b.ReportMetric((after.CPU-before.CPU).Seconds()/duration.Seconds()*100, "cpu-%-idle")
	l.memory(b, "idle")
}

// memory is what the agent has in memory, and had at most.
func (l *large) memory(b *testing.B, when string) {
	b.Helper()
	u, err := l.agent.Usage()
	must(b, err)
	b.ReportMetric(float64(u.RSS)/1e6, "MB-rss-"+when)
	b.ReportMetric(float64(u.Peak)/1e6, "MB-peak-"+when)
}
