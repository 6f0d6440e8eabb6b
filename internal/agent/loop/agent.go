package loop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/session"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Config has the parts of an agent.
type Config struct {
	// Node is the node's name; Settings are the node's settings that no object contains.
	Node     string           // metadata.name of this node
	Settings objects.Config   // the settings for compiler.Input
	Backend  backends.Backend // emits the rules
	Applier  *applier.Applier // applies them to the kernel
	// Inbox receives the changes of a source.
	Inbox *inbox.Inbox
	// General reports whether an error of the kernel is unrelated to any object;
	// nil means never.
	General func(error) bool
	// Spare reports whether the kernel serves something that an agent with nothing
	// to serve must not remove at its start; nil means never.
	Spare func(context.Context) (bool, error)
	// Begin is called before the first apply, once every object was read and if there is something to
	// be applied: nothing of the machine is to change before. It may be nil.
	Begin func()
	// Flows ends stale connections.
	Flows Flows
	// Drift receives a value when another program may have changed planec's rules;
	// nil disables drift detection.
	Drift <-chan struct{}
	// Settled is called when the kernel is correct, so that later changes count as
	// drift. It may be nil.
	Settled func()
	// VerifyEvery is the interval of full comparisons with the kernel; 0 means never.
	VerifyEvery time.Duration
	Observer    Observer     // receives every change, for metrics, Events and health
	Log         *slog.Logger // must not be nil
}

// Agent is one node's service proxy. Run is to be called once.
type Agent struct {
	Config
	session *session.Session
	objects *compiler.Incremental
	window  window
	backoff backoff
	tally   tally
	// diags are the latest findings about the objects.
	diags diag.List
	// allFlows is whether flows to every frontend must be checked: at the start,
	// and after a check failed.
	allFlows bool
	// behind is whether the kernel does not match the objects.
	behind bool
	// changes counts the events that may have changed the wanted rules.
	changes  uint64
	requests chan request
	// spared is whether the agent has not started in order to keep the kernel's rules.
	spared bool
	// begun is whether Begin was called.
	begun bool
	// rested is the earliest time for the next comparison because of drift.
	rested time.Time
}

// New returns an agent, which does nothing before Run.
func New(c Config) *Agent {
	a := &Agent{Config: c, allFlows: true, requests: make(chan request)}
	a.tally.loopback.families = loopbackFamilies(&c.Settings)
	return a
}

// Run follows the objects until ctx ends. It retries failures of the kernel and
// does not return them.
func (a *Agent) Run(ctx context.Context) error {
	defer a.remember()
	retry, drift, verify, again := stopped(), stopped(), stopped(), stopped()
	if a.VerifyEvery > 0 {
		verify.Reset(a.VerifyEvery)
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-a.Inbox.Wake():
			// Changes that arrived during the last Take were part of it: the
			// wake-up is then spurious, and nothing is pending.
			if count, since := a.Inbox.Pending(); count > 0 {
				a.Observer.Queued(count, since)
			}
			a.window.gather(ctx, a.Inbox.Pending)
			if ctx.Err() != nil {
				return nil
			}
			err = a.round(ctx)
		case <-retry.C:
			err = a.round(ctx)
		case <-a.Drift:
			drift.Reset(max(time.Until(a.rested), 0))
		case <-drift.C:
			err = a.compare(ctx)
		case <-verify.C:
			err = a.compare(ctx)
			verify.Reset(a.VerifyEvery)
		case <-again.C:
			err = a.again(ctx)
		case r := <-a.requests:
			s, err := a.serving()
			r.answer <- answer{s, err}
			continue
		}
		a.changes++
		a.whenAgain(again)
		if err == nil {
			if a.backoff.succeeded() {
				a.Log.Info("applying works again: the kernel has all changes")
			}
			retry.Stop()
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		wait := a.backoff.failed()
		a.Log.Error("applying: the rules from before stay", "error", err, "again", wait)
		a.Observer.Failed(err)
		retry.Reset(wait)
	}
}

// stopped returns a timer that is not running.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// Comparisons because of drift use at most 10% of the time, so that a program that
// keeps rewriting planec's rules cannot keep the agent from other work.
const (
	restFor  = 9
	mostRest = 10 * time.Second
)

// round takes the pending changes and applies them.
func (a *Agent) round(ctx context.Context) error {
	batch, ok := a.Inbox.Take()
	if !ok {
		return nil
	}
	if batch.Count == 0 && a.session != nil && !a.behind {
		return nil
	}
	start := time.Now()
	r := Round{Services: len(batch.Update.Services), Slices: len(batch.Update.Slices), Triggers: batch.Triggers}
	if !batch.Since.IsZero() {
		r.Waited = start.Sub(batch.Since)
	}
	var plan applier.Plan
	var err error
	if a.session == nil {
		r.Whole = true
		plan, err = a.first(ctx, &batch)
	} else {
		r.Whole = a.behind
		first, rest := a.servicesFirst(batch.Update)
		if first != nil {
			if _, err := a.session.Update(ctx, *first); err != nil {
				// The rest is applied together with it, as a whole.
				r.Whole = true
			} else {
				a.diagnose()
				a.follow(false)
			}
		}
		plan, err = a.session.Update(ctx, rest)
	}
	if batch.Update.Others != nil {
		a.Observer.Nodes(batch.Update.Others.Nodes)
	}
	a.diagnose()
	if err != nil {
		a.behind = true
		return fmt.Errorf("node %s: %w", a.Node, err)
	}
	if r.Took = time.Since(start); plan != nil {
		r.Steps = len(plan.Steps())
	}
	a.settled()
	a.Observer.Applied(r)
	a.follow(r.Whole)
	a.behind = false
	a.Log.Debug("applied", "changes", batch.Count, "steps", r.Steps, "took", r.Took, "waited", r.Waited, "whole", r.Whole)
	return nil
}

// servicesFirst separates changes of Services from changes of policies and pods,
// so that Services neither wait for policies nor fail with them. If the kernel is
// behind, everything is applied together.
func (a *Agent) servicesFirst(u compiler.Update) (first *compiler.Update, rest compiler.Update) {
	if a.behind || u.Others == nil || len(u.Services)+len(u.Slices) == 0 {
		return nil, u
	}
	first = &compiler.Update{Services: u.Services, Slices: u.Slices}
	u.Services, u.Slices = nil, nil
	return first, u
}

// overBudget counts the objects that exceed a compiler budget.
func overBudget(list diag.List) int {
	objects := make(map[string]bool)
	for _, d := range list {
		switch d.Code {
		case diag.FrontendBudget, diag.EndpointBudget, diag.PolicyBudget:
			objects[d.Origin.Object()] = true
		}
	}
	return len(objects)
}

// compare compares the whole kernel and undoes changes by other processes.
func (a *Agent) compare(ctx context.Context) error {
	if a.session == nil {
		return nil
	}
	start := time.Now()
	a.Applier.LookAgain()
	plan, err := a.session.Apply(ctx)
	a.diagnose()
	a.rested = time.Now().Add(min(restFor*time.Since(start), mostRest))
	if err != nil {
		a.behind = true
		var drift *applier.DriftError
		if errors.As(err, &drift) {
			a.Observer.Drifted(drift.Steps)
		}
		return fmt.Errorf("node %s: comparing the kernel: %w", a.Node, err)
	}
	a.settled()
	switch {
	case plan == nil || plan.Empty():
		a.Observer.Verified(time.Since(start))
	case !a.behind:
		a.Log.Warn("another process changed planec's rules: they are restored", "steps", len(plan.Steps()), "first", plan.Steps()[0], "took", time.Since(start))
		a.Observer.Drifted(plan.Steps())
	}
	if a.behind {
		// This completes the failed apply, and no other call reports that.
		r := Round{Whole: true, Took: time.Since(start)}
		if plan != nil {
			r.Steps = len(plan.Steps())
		}
		a.Observer.Applied(r)
		a.follow(true)
		a.behind = false
	}
	return nil
}

func (a *Agent) settled() {
	if a.Settled != nil {
		a.Settled()
	}
}

// diagnose passes on the current findings about the objects.
func (a *Agent) diagnose() {
	now := a.objects.Diagnostics()
	givenUp := 0
	if a.session != nil {
		now, givenUp = append(now, a.session.Findings()...), a.session.GivenUp()
	}
	if a.spared {
		now.Add(diag.NothingToServe, ir.Origin{}, ErrNothing.Error())
	}
	now.Sort()
	if !slices.Equal(a.diags, now) {
		a.diags = now
		a.Observer.Diagnosed(now)
	}
	a.Observer.GivenUp(givenUp + overBudget(now))
}
