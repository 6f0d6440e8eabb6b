package testkit

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Evaluate says what must happen to a packet, as [eval.Evaluator.Eval] does.
type Evaluate func(eval.Packet) eval.Result

// Disagreement is a flow that went otherwise than the evaluator says.
type Disagreement struct {
	Flow   Flow        // what was tried
	Packet eval.Packet // the flow as the evaluator sees it
	Want   eval.Result // what the evaluator says
	Got    Outcome     // what the kernel did
	Err    error       // why it could not be tried; nil where it was
}

// String gives the flow, what is wrong, and the evaluator's steps.
func (d Disagreement) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v (in by %q): %v", d.Flow, d.Packet.Interface, d.Err)
	for _, s := range d.Want.Steps {
		fmt.Fprintf(&b, "\n\t%s: %s", s.Stage, s.Text)
	}
	return b.String()
}

// Report is what came of a check.
type Report struct {
	// Agreed counts the flows that went as wanted, by the verdict wanted.
	Agreed map[eval.Verdict]int
	// Late counts those among them that timed out at first.
	Late          int
	Disagreements []Disagreement // in the order of the flows
}

// String sums the report up in one line.
func (r Report) String() string {
	return fmt.Sprintf("%d disagree; %d pass, %d dnat, %d drop and %d reject agree (%d of them late)",
		len(r.Disagreements), r.Agreed[eval.Pass], r.Agreed[eval.DNAT], r.Agreed[eval.Drop], r.Agreed[eval.Reject], r.Late)
}

// Check tries the flows and says which went otherwise than evaluate says. On a
// busy machine an answer can be late, so an unexpected time-out is looked at
// again; see confirmAll. Nothing else is tried twice.
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
	d.Err = Compare(f, d.Want, got, r.spec.NodeAddrs)
	return d
}

// stall is how long a machine may stand still that other work keeps busy: User
// Mode Linux beside a build has been seen to do so for more than two seconds.
const stall = 3 * time.Second

// confirmAll confirms the flows, and those that fail again once more when a
// stall would be over: what a rule drops is dropped then too.
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

// confirm tries the flows again that timed out unexpectedly. Each is cleared
// (its Err becomes nil) only when several tries all go well and lose nothing on
// the way, more of them the more endpoints there are: one endpoint of many that
// does not work must not pass for noise.
func (r *Rig) confirm(ctx context.Context, late []Disagreement, evaluate Evaluate) ([]Disagreement, error) {
	var again []Flow
	var which []int
	for i, d := range late {
		for range 2 + 3*len(d.Want.Endpoints) {
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

// RunProgram builds the rig of a program, has load put the rules into it, and
// reports every flow that goes otherwise than the evaluator says. The report is
// for callers that want more of it, such as a number of drops.
func RunProgram(t testing.TB, p *ir.Program, flows []Flow, load func(*Rig) error) Report {
	t.Helper()
	if err := ir.Verify(p); err != nil {
		t.Fatalf("the program is not well formed: %v", err)
	}
	r := New(t, SpecFor(p, flows))
	if err := load(r); err != nil {
		t.Fatalf("loading the rules: %v", err)
	}
	report, err := r.Check(t.Context(), flows, eval.New(p).Eval, DefaultTimeout)
	if err != nil {
		t.Fatalf("trying the flows: %v", err)
	}
	for _, d := range report.Disagreements {
		t.Errorf("%v", d)
	}
	t.Logf("%d flows: %v", len(flows), report)
	return report
}
