package health

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Status is the health of the proxy. It is safe for concurrent use.
type Status struct {
	// timeout is the maximum age of a change that is not yet in the kernel.
	timeout time.Duration
	now     func() time.Time

	mu       sync.Mutex
	pending  time.Time
	updated  time.Time
	eligible bool
	unread   []string
	givenUp  int
	// failure is the error of the last apply; "" if that succeeded.
	failure string
}

// NewStatus returns a Status that is alive until changes wait longer than timeout,
// and ready once the first rules are in the kernel. now is the clock.
func NewStatus(timeout time.Duration, now func() time.Time) *Status {
	return &Status{timeout: timeout, now: now, eligible: true}
}

// Queued records that a change has been waiting since then; the oldest one counts.
func (s *Status) Queued(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending.IsZero() && !since.IsZero() {
		s.pending = since
	}
}

// Updated records that all changes are in the kernel.
func (s *Status) Updated() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending, s.updated, s.failure = time.Time{}, s.now(), ""
}

// mostWords is the maximum length of an error in an answer, in bytes.
const mostWords = 1024

// Failed records why the last apply failed; nil means that the kernel is correct.
func (s *Status) Failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure = ""; err != nil {
		s.failure = err.Error()
		if len(s.failure) > mostWords {
			s.failure = strings.ToValidUTF8(s.failure[:mostWords], "") + "..."
		}
	}
}

// SetEligible sets whether load balancers may send to this node. They may if the
// node exists, is not being deleted and will not be.
func (s *Status) SetEligible(eligible bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eligible = eligible
}

// SetUnread sets the parts of the objects' source that cannot be read, with the
// reasons: one line each.
func (s *Status) SetUnread(reasons []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unread = slices.Clone(reasons)
}

// SetGivenUp sets the number of objects that cannot be enforced and are therefore
// refused or closed. The proxy is then degraded, but serves all other objects.
func (s *Status) SetGivenUp(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.givenUp = n
}

// mostReasons is the maximum number of reasons in an answer.
const mostReasons = 20

// reasons returns why the proxy is not ready, or which of its objects are outdated.
func (s *Status) reasons() []string {
	var out []string
	switch {
	case s.failure != "":
		out = append(out, "the last apply failed and is tried again: "+s.failure)
	case s.updated.IsZero():
		out = append(out, "no rules were applied yet: "+s.stage())
	}
	if s.givenUp > 0 {
		out = append(out, fmt.Sprintf("degraded: objects that cannot be enforced, so that they refuse or close (the log names them): %d", s.givenUp))
	}
	unread := s.unread
	if len(unread) > mostReasons {
		unread = append(slices.Clone(unread[:mostReasons]), fmt.Sprintf("%d more", len(unread)-mostReasons))
	}
	return append(out, unread...)
}

// stage returns what the first rules wait for.
func (s *Status) stage() string {
	if s.pending.IsZero() {
		return "every source of objects has to be read once first"
	}
	return "every source of objects was read, and the first rules are being applied"
}

// Reasons returns why the proxy is not ready, or which of its objects are outdated.
func (s *Status) Reasons() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reasons()
}

// Pending reports whether changes are waiting or being applied.
func (s *Status) Pending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.pending.IsZero()
}

// Ready reports whether the kernel has rules and receives changes in time.
func (s *Status) Ready() bool {
	s.mu.Lock()
	started := !s.updated.IsZero()
	s.mu.Unlock()
	return started && s.Healthy()
}

// Report is the body of an answer, with the field names of kube-proxy (ProxyHealth
// in proxy_health.go) and the additional Degraded and Reasons.
type Report struct {
	LastUpdated  time.Time                        `json:"lastUpdated"`            // when the rules last changed
	CurrentTime  time.Time                        `json:"currentTime"`            // when the report was made
	NodeEligible *bool                            `json:"nodeEligible,omitempty"` // false while load balancers should avoid the node; nil means unknown
	Healthy      bool                             `json:"healthy"`                // whether the agent keeps the rules right
	Status       map[corev1.IPFamily]FamilyReport `json:"status,omitempty"`       // per family; only the families of the node
	// Degraded is the number of objects that cannot be enforced and are refused or closed.
	Degraded int `json:"degraded,omitempty"`
	// Reasons are the reasons why the proxy is not ready, one per line.
	Reasons []string `json:"reasons,omitempty"`
}

// FamilyReport is the report of one family. Both families always change together.
type FamilyReport struct {
	LastUpdated time.Time `json:"lastUpdated"` // when the rules of the family last changed
	Healthy     bool      `json:"healthy"`     // whether its rules are kept right
}

// Report returns the health of the proxy without the node's part. Before its first
// apply, a proxy is alive as long as no change waits, like kube-proxy: a restart
// would not deliver the missing objects.
func (s *Status) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	r := Report{CurrentTime: now, LastUpdated: s.updated, Degraded: s.givenUp, Reasons: s.reasons()}
	r.Healthy = s.pending.IsZero() || now.Sub(s.pending) < s.timeout
	if s.updated.IsZero() {
		return r
	}
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
