// Package traffic makes connections continuously while a test changes the
// node, and counts those that fail.
package traffic

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/testkit"
)

// Load makes connections, many at once and one round after the other, until
// it is stopped. Meanwhile only the load may use the rig's flows: other
// flows go through [Load.Try]. The rig's Do and Run remain usable.
type Load struct {
	rig    *testkit.Rig
	flows  []testkit.Flow
	pace   time.Duration // from the start of a round to the start of the next, at least
	report Report
	err    error

	other chan func()
	stop  context.CancelFunc
	done  chan struct{}
}

// Report is the result of a load.
type Report struct {
	Connections int           // the number of opened connections
	Took        time.Duration // from the first to the last
	// Failed got no answer, or one from an endpoint that is not allowed.
	Failed int
	// Resent are among the others: they got an answer only after the client had
	// sent something again, because the node had lost it or its answer.
	Resent int
	// First describes some of the failed and the resent, with the time since the
	// start.
	First []string
	// By counts the answers of each endpoint.
	By map[netip.AddrPort]int
}

// Perfect returns an error unless there were connections and none failed or was resent.
func (r Report) Perfect() error {
	if r.Connections == 0 || r.Failed > 0 || r.Resent > 0 {
		return fmt.Errorf("%v", r)
	}
	return nil
}

// String summarizes the report, including failures.
func (r Report) String() string {
	s := fmt.Sprintf("%d connections in %v (%.0f/s): %d failed, %d had to send again",
		r.Connections, r.Took.Round(time.Millisecond), float64(r.Connections)/r.Took.Seconds(), r.Failed, r.Resent)
	for _, f := range r.First {
		s += "\n\t" + f
	}
	return s
}

const (
	// atOnce is the number of simultaneous connections: few, so that the rounds of
	// a paced load are close to each other.
	atOnce = 32
	// timeout is long enough for a busy machine. Losses are visible nevertheless,
	// because TCP resends; see Report.Resent.
	timeout = 3 * time.Second
	// described is the maximum number of described failures.
	described = 20
)

// Start starts a load of the flows, in turn. It stops at the latest when the
// test ends; Stop returns the result.
func Start(t testing.TB, rig *testkit.Rig, flows ...testkit.Flow) *Load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	l := &Load{
		rig: rig, report: Report{By: make(map[netip.AddrPort]int)},
		other: make(chan func()), stop: cancel, done: make(chan struct{}),
	}
	for len(l.flows) < atOnce {
		l.flows = append(l.flows, flows...)
	}
	perSecond, err := sustained()
	if err != nil {
		t.Fatal(err)
	}
	l.pace = time.Duration(len(l.flows)) * time.Second / time.Duration(perSecond)
	go l.run(ctx)
	t.Cleanup(func() {
		cancel()
		<-l.done
	})
	return l
}

func (l *Load) run(ctx context.Context) {
	defer close(l.done)
	start := time.Now()
	for ctx.Err() == nil && l.err == nil {
		select {
		case f := <-l.other:
			f()
		default:
			next := time.After(l.pace)
			l.round(start)
			<-next
		}
	}
	l.report.Took = time.Since(start)
}

// round makes each connection once. It is not interrupted: connections that
// have begun end normally and count.
func (l *Load) round(start time.Time) {
	outcomes, err := l.rig.Try(context.Background(), l.flows, timeout)
	if err != nil {
		l.err = err
		return
	}
	for i, o := range outcomes {
		l.report.Connections++
		switch {
		case o.Fate != testkit.Answered:
			l.report.Failed++
		case o.Resent > 0:
			l.report.Resent++
			fallthrough
		default:
			l.report.By[o.Endpoint]++
		}
		if (o.Fate != testkit.Answered || o.Resent > 0) && len(l.report.First) < described {
			l.report.First = append(l.report.First,
				fmt.Sprintf("%v: %v: %v, sent again %d times", time.Since(start).Round(time.Millisecond), l.flows[i], o, o.Resent))
		}
	}
}

// Try makes other connections between those of the load, without counting them.
func (l *Load) Try(ctx context.Context, flows []testkit.Flow) (outcomes []testkit.Outcome, err error) {
	tried := make(chan struct{})
	f := func() {
		outcomes, err = l.rig.Try(ctx, flows, testkit.DefaultTimeout)
		close(tried)
	}
	select {
	case l.other <- f:
		<-tried
		return outcomes, err
	case <-l.done:
		return nil, fmt.Errorf("the load has ended: %w", l.err)
	}
}

// Stop ends the load. An error means that it could not continue, not that
// connections failed.
func (l *Load) Stop() (Report, error) {
	l.stop()
	<-l.done
	return l.report, l.err
}
