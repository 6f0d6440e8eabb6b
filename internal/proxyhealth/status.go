package proxyhealth

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Status is how the proxy is doing. It is safe for concurrent use.
type Status struct {
	// timeout is how old a change may be that is not in the kernel yet.
	timeout time.Duration
	now     func() time.Time

	mu       sync.Mutex
	pending  time.Time
	updated  time.Time
	eligible bool
}

// NewStatus is healthy until changes wait for longer than the timeout. Now is the
// clock.
func NewStatus(timeout time.Duration, now func() time.Time) *Status {
	return &Status{timeout: timeout, now: now, eligible: true}
}

// Queued says that a change waits since then; an older one that waits counts.
func (s *Status) Queued(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending.IsZero() && !since.IsZero() {
		s.pending = since
	}
}

// Updated says that all changes are in the kernel.
func (s *Status) Updated() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending, s.updated = time.Time{}, s.now()
}

// SetEligible says whether load balancers may send to this node: it is there, and
// neither being deleted nor about to be.
func (s *Status) SetEligible(eligible bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eligible = eligible
}

// Report is the body of an answer, with the names that kube-proxy gives them
// (ProxyHealth in proxy_health.go).
type Report struct {
	LastUpdated  time.Time                        `json:"lastUpdated"`
	CurrentTime  time.Time                        `json:"currentTime"`
	NodeEligible *bool                            `json:"nodeEligible,omitempty"`
	Healthy      bool                             `json:"healthy"`
	Status       map[corev1.IPFamily]FamilyReport `json:"status,omitempty"`
}

// FamilyReport is a family's part. Both families change together here.
type FamilyReport struct {
	LastUpdated time.Time `json:"lastUpdated"`
	Healthy     bool      `json:"healthy"`
}

// Report says how the proxy is doing; the node's part is left out. Before its
// first change is in, a proxy counts as healthy, as kube-proxy's does.
func (s *Status) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	r := Report{CurrentTime: now, LastUpdated: s.updated, Healthy: true}
	if s.updated.IsZero() {
		return r
	}
	r.Healthy = s.pending.IsZero() || now.Sub(s.pending) < s.timeout
	r.Status = make(map[corev1.IPFamily]FamilyReport, 2)
	for _, f := range []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol} {
		r.Status[f] = FamilyReport{LastUpdated: s.updated, Healthy: r.Healthy}
	}
	return r
}

// Healthy reports whether changes reach the kernel in time.
func (s *Status) Healthy() bool { return s.Report().Healthy }

// Eligible reports whether load balancers may send to this node.
func (s *Status) Eligible() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.eligible
}
