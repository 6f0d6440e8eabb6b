package testkit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"golang.org/x/sys/unix"
)

// Evaluate determines what must happen to a packet, like [eval.Evaluator.Eval].
type Evaluate func(eval.Packet) eval.Result

// Disagreement is a flow whose outcome differs from the evaluator's result.
type Disagreement struct {
	Flow   Flow        // the flow that was tried
	Packet eval.Packet // the flow as the evaluator sees it
	Want   eval.Result // the result of the evaluator
	Got    Outcome     // what the kernel did
	Err    error       // why the flow could not be tried; otherwise nil
}

// String describes the flow, the difference, and the evaluator's steps.
func (d Disagreement) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v (in by %q): %v", d.Flow, d.Packet.Interface, d.Err)
	for _, s := range d.Want.Steps {
		fmt.Fprintf(&b, "\n\t%s: %s", s.Stage, s.Text)
	}
	return b.String()
}

// Report is the result of a check.
type Report struct {
	// Agreed counts the flows with the expected outcome, by the expected verdict.
	Agreed map[eval.Verdict]int
	// Late counts those among them that timed out at first.
	Late          int
	Disagreements []Disagreement // in the order of the flows
}

// String summarizes the report in one line.
func (r Report) String() string {
	return fmt.Sprintf("%d disagree; %d pass, %d dnat, %d drop and %d reject agree (%d of them late)",
		len(r.Disagreements), r.Agreed[eval.Pass], r.Agreed[eval.DNAT], r.Agreed[eval.Drop], r.Agreed[eval.Reject], r.Late)
}

// Check tries the flows and reports those whose outcome differs from evaluate. On
// a busy machine an answer may be late, so unexpected timeouts are tried again;
// see confirmAll. Other outcomes are not retried.
func (r *Rig) Check(ctx context.Context, flows []Flow, evaluate Evaluate, timeout time.Duration) (Report, error) {
	report := Report{Agreed: make(map[eval.Verdict]int)}
	outcomes, err := r.Try(ctx, flows, timeout)
	if err != nil {
		return report, err
	}
	var late []Disagreement
	for i, got := range outcomes {
		d := r.judge(flows[i], got, evaluate)
		if d.Err != nil && got.Fate == TimedOut {
			late = append(late, d)
			continue
		}
		report.add(d)
	}
	late, err = r.confirmAll(ctx, late, evaluate)
	for _, d := range late {
		report.add(d)
		if d.Err == nil {
			report.Late++
		}
	}
	return report, err
}

func (r *Report) add(d Disagreement) {
	if d.Err != nil {
		r.Disagreements = append(r.Disagreements, d)
		return
	}
	r.Agreed[d.Want.Verdict]++
}

func (r *Rig) judge(f Flow, got Outcome, evaluate Evaluate) Disagreement {
	f = r.resolve(f)
	p := r.Packet(f)
	d := Disagreement{Flow: f, Packet: p, Want: evaluate(p), Got: got}
	if r.members != nil && f.From != eval.FromOutside && errors.Is(got.Err, unix.EHOSTUNREACH) {
		// A program of sockets has no packet to drop: it refuses the connection.
		got.Fate = TimedOut
	}
	d.Err = Compare(f, d.Want, got, r.NodeAddrs())
	return d
}

// stall is how long a busy machine may stand still: User Mode Linux next to a
// build has stalled for more than two seconds.
const stall = 3 * time.Second

// confirmAll confirms the flows, and retries those that fail again after a stall
// would have ended: a rule that drops still drops then.
func (r *Rig) confirmAll(ctx context.Context, late []Disagreement, evaluate Evaluate) ([]Disagreement, error) {
	late, err := r.confirm(ctx, late, evaluate)
	var still []int
	var again []Disagreement
	for i, d := range late {
		if d.Err != nil && (d.Got.Fate == TimedOut || d.Got.Resent > 0) {
			still, again = append(still, i), append(again, d)
		}
	}
	if err != nil || len(still) == 0 {
		return late, err
	}
	select {
	case <-ctx.Done():
		return late, nil
	case <-time.After(stall):
	}
	again, err = r.confirm(ctx, again, evaluate)
	for i, at := range still {
		late[at] = again[i]
	}
	return late, err
}

// confirm retries the flows that timed out unexpectedly. It clears a flow (its Err
// becomes nil) only if several tries all succeed without loss. It makes more tries
// for more endpoints, so that one broken endpoint among many is not taken for
// noise.
func (r *Rig) confirm(ctx context.Context, late []Disagreement, evaluate Evaluate) ([]Disagreement, error) {
	var again []Flow
	var which []int
	for i, d := range late {
		tries := 2 + 3*len(d.Want.Endpoints)
		if d.Flow.SourcePort != 0 {
			tries = 1 // two at once would have one conntrack entry
		}
		for range tries {
			again, which = append(again, d.Flow), append(which, i)
		}
	}
	outcomes, err := r.tryPatiently(ctx, again)
	if err != nil {
		return late, err
	}
	failed := make([]bool, len(late))
	for i, got := range outcomes {
		second := r.judge(again[i], got, evaluate)
		if second.Err == nil && got.Resent > 0 {
			second.Err = fmt.Errorf("answered, but %d segments had to be sent again", got.Resent)
		}
		if !failed[which[i]] {
			late[which[i]] = second
		}
		failed[which[i]] = failed[which[i]] || second.Err != nil
	}
	return late, nil
}

// RunProgram builds the rig of a program, loads the rules with load, and reports
// every flow whose outcome differs from the evaluator's result as an error of t.
// It returns the report for further checks, such as the number of drops.
func RunProgram(t testing.TB, p *ir.Program, flows []Flow, load func(*Rig) error) Report {
	t.Helper()
	return RunLayout(t, Layout{}, p, flows, load)
}

// RunLayout is [RunProgram] on a node with a layout.
func RunLayout(t testing.TB, l Layout, p *ir.Program, flows []Flow, load func(*Rig) error) Report {
	t.Helper()
	report := Differences(t, l, p, flows, load)
	for _, d := range report.Disagreements {
		t.Errorf("%v", d)
	}
	return report
}

// Differences is [RunLayout] for layouts that differ from the evaluator: the caller has
// to look at the report's disagreements.
func Differences(t testing.TB, l Layout, p *ir.Program, flows []Flow, load func(*Rig) error) Report {
	t.Helper()
	if err := ir.Verify(p); err != nil {
		t.Fatalf("the program is not well formed: %v", err)
	}
	spec := SpecFor(p, flows)
	spec.Layout = l
	r := New(t, spec)
	if err := load(r); err != nil {
		t.Fatalf("loading the rules: %v", err)
	}
	report, err := r.Check(t.Context(), flows, eval.New(p).Eval, DefaultTimeout)
	if err != nil {
		t.Fatalf("trying the flows: %v", err)
	}
	t.Logf("%d flows: %v", len(flows), report)
	return report
}
