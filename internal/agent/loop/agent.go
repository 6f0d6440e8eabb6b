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

// Config is what an agent is made of.
type Config struct {
	// Node is the node's name, and Settings what the objects cannot say of it.
	Node     string           // metadata.name of this node
	Settings objects.Config   // what compiler.Input has besides objects
	Backend  backends.Backend // what emits the rules
	Applier  *applier.Applier // what puts them into the kernel
	// Inbox is what a source feeds.
	Inbox *inbox.Inbox
	// General reports whether an error of the kernel is no object's fault; nil is
	// never.
	General func(error) bool
	// Spare reports whether the kernel serves something that objects which leave
	// nothing to serve must not remove when the agent begins; nil is never.
	Spare func(context.Context) (bool, error)
	// Flows ends connections that should not go on.
	Flows Flows
	// Drift has something to read when another program may have changed planec's rules;
	// nil where nothing tells.
	Drift <-chan struct{}
	// Settled is called when the kernel is right, so that what changes it from
	// then on is a drift; nil where that is not wanted.
	Settled func()
	// VerifyEvery is how often the kernel is compared as a whole; 0 is never.
	VerifyEvery time.Duration
	Observer    Observer     // told of every change, for metrics, Events and health
	Log         *slog.Logger // nil is not allowed
}

// Agent is one node's service proxy. Run is to be called once.
type Agent struct {
	Config
	session *session.Session
	objects *compiler.Incremental
	window  window
	backoff backoff
	tally   tally
	// diags is what was said of the objects last.
	diags diag.List
	// allFlows is whether flows to every frontend are to be looked at: at the
	// start, and after that could not be done.
	allFlows bool
	// behind is whether the kernel is not what the objects say.
	behind bool
	// changes counts what may have changed the rules that are wanted.
	changes  uint64
	requests chan request
	// spared is whether the agent does not begin, so as to take nothing away.
	spared bool
	// rested is when a notice of drift may be followed again.
	rested time.Time
}

// New makes an agent; nothing happens before Run.
func New(c Config) *Agent {
	a := &Agent{Config: c, allFlows: true, requests: make(chan request)}
	a.tally.loopback.families = loopbackFamilies(&c.Settings)
	return a
}

// Run works until ctx ends. What goes wrong with the kernel is tried again and
// is no error.
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
			// What came while the last changes were taken was taken with them: then
			// nothing waits, though it rang.
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

// stopped is a timer that does not run yet.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// Comparing the kernel because of notices takes a tenth of the time at most: who
// keeps rewriting our rules must not keep the agent from everything else.
const (
	restFor  = 9
	mostRest = 10 * time.Second
)

// round takes what has changed and applies it.
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
				// The rest is applied with it, whole.
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

// servicesFirst divides changes of Services from those of policies and of whom they
// are about, so that no Service waits for what policies cost, nor fails with them.
// What is behind is applied in one go.
func (a *Agent) servicesFirst(u compiler.Update) (first *compiler.Update, rest compiler.Update) {
	if a.behind || u.Others == nil || len(u.Services)+len(u.Slices) == 0 {
		return nil, u
	}
	first = &compiler.Update{Services: u.Services, Slices: u.Slices}
	u.Services, u.Slices = nil, nil
	return first, u
}

// overBudget counts the objects that the compiler gives up.
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

// compare compares the whole kernel and restores what another process changed.
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
		// This was what the failed apply was to do, and nothing else says that it is done.
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

// diagnose passes on what there is to say about the objects.
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
