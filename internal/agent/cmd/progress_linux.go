package cmd

import (
	"slices"
	"sync"
	"time"

	"github.com/planec/planec/internal/agent/api"
)

// mostDriftSteps is the number of steps kept of the last drift.
const mostDriftSteps = 5

// progress is the history of the agent for status queries. It is safe for
// concurrent use.
type progress struct {
	mu                 sync.Mutex
	changed, compared  time.Time
	drift              api.Drift
	failure            string
	services, policies int
	givenUp            int
}

// do changes p under its lock.
func (p *progress) do(change func(*progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// drifted records the steps that undid a change by another process.
func (p *progress) drifted(steps []string, now time.Time) {
	p.do(func(p *progress) {
		p.drift.Count++
		p.compared = now
		p.drift.Last = &now
		p.drift.Steps = slices.Clone(steps[:min(len(steps), mostDriftSteps)])
	})
}

// fill copies the progress into a status.
func (p *progress) fill(s *api.Status) (failure string, started bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.LastChange, s.LastCompared = at(p.changed), at(p.compared)
	s.Drift, s.GivenUp = p.drift, p.givenUp
	if started = !p.compared.IsZero(); started {
		services, policies := p.services, p.policies
		s.Services, s.Policies = &services, &policies
	}
	return p.failure, started
}

// at returns a pointer to a time, or nil if it is zero.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
