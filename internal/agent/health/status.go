package health

import (
	"fmt"
	"slices"
	"strings"
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
	unread   []string
	givenUp  int
	// failure is why the last apply failed; "" where none has since the last that did not.
	failure string
}

// NewStatus is alive until changes wait for longer than the timeout, and ready
// once the first are in the kernel. Now is the clock.
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
	s.pending, s.updated, s.failure = time.Time{}, s.now(), ""
}

// mostWords bounds how much of an error an answer has, in bytes.
const mostWords = 1024

// Failed says why the last apply failed; nil is that the kernel is as it should be.
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

// SetEligible says whether load balancers may send to this node: it is there, and
// neither being deleted nor about to be.
func (s *Status) SetEligible(eligible bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eligible = eligible
}

// SetUnread says what of the objects' source cannot be read now, and why: one line
// for each.
func (s *Status) SetUnread(reasons []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unread = slices.Clone(reasons)
}

// SetGivenUp says how many objects are refused or closed because they cannot be
// enforced: the proxy is degraded then, and serves all others.
func (s *Status) SetGivenUp(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.givenUp = n
}

// mostReasons bounds how many reasons an answer has.
const mostReasons = 20

// reasons say why the proxy is not ready, or what of its objects is old.
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

// stage says what the first rules wait for.
func (s *Status) stage() string {
	if s.pending.IsZero() {
		return "every source of objects has to be read once first"
	}
	return "every source of objects was read, and the first rules are being applied"
}

// Reasons say why the proxy is not ready, or what of its objects is old.
func (s *Status) Reasons() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reasons()
}

// Pending reports whether changes wait or are being applied.
func (s *Status) Pending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.pending.IsZero()
}

// Ready reports whether the kernel has rules, and changes reach it in time.
func (s *Status) Ready() bool {
	s.mu.Lock()
	started := !s.updated.IsZero()
	s.mu.Unlock()
	return started && s.Healthy()
}

// Report is the body of an answer, with the names that kube-proxy gives them
// (ProxyHealth in proxy_health.go) and two more, Degraded and Reasons.
type Report struct {
	LastUpdated  time.Time                        `json:"lastUpdated"`            // when rules were changed last
	CurrentTime  time.Time                        `json:"currentTime"`            // when the report was made
	NodeEligible *bool                            `json:"nodeEligible,omitempty"` // false while the node is to be taken out of load balancers; nil is unknown
	Healthy      bool                             `json:"healthy"`                // whether the agent keeps the rules right
	Status       map[corev1.IPFamily]FamilyReport `json:"status,omitempty"`       // the report of each family; the families of the node only
	// Degraded is how many objects cannot be enforced, so that they refuse or close.
	Degraded int `json:"degraded,omitempty"`
	// Reasons say what is missing.
	Reasons []string `json:"reasons,omitempty"`
}

// FamilyReport is a family's part. Both families change together here.
type FamilyReport struct {
	LastUpdated time.Time `json:"lastUpdated"` // when rules of the family were changed last
	Healthy     bool      `json:"healthy"`     // whether its rules are kept right
}

// Report says how the proxy is doing; the node's part is left out. Before the
// first change is in, a proxy is alive as long as nothing waits, as kube-proxy's is:
// to start it again would not bring the rest of the objects.
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
