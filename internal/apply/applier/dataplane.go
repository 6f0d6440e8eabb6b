package applier

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// Dataplane is one backend's part of this node's kernel. It never reads or changes
// anything that does not belong to the backend. Only an [Applier] uses it.
type Dataplane interface {
	// Plan reads the kernel and returns the changes that bring it in line with
	// the artifact.
	Plan(ctx context.Context, want backends.Artifact) (Plan, error)

	// Left reads the kernel, changes nothing, and describes the backend's rules
	// there, even if they are incomplete.
	Left(ctx context.Context) ([]string, error)
	// Clean removes all rules of the backend and describes them.
	Clean(ctx context.Context) ([]string, error)

	// Hold records that the kernel has an applied artifact. After that, it can be
	// changed without reading the kernel and without comparing all rules.
	Hold(a backends.Artifact) error
	// Change plans the difference of two fragments of the held artifact
	// (compiler.Delta). [ErrWhole] says that only Replace can.
	Change(before, after backends.Artifact) (Plan, error)
	// Replace plans the difference of the held and a whole artifact. A plan from held
	// state must be applied at once or never; its result is held afterwards. It fails
	// with [ErrDrift] if the kernel differs from the held state: then a Plan of the
	// whole and another Hold repair it.
	Replace(whole backends.Artifact) (Plan, error)

	// Snapshot reads the backend's rules in the kernel, and returns a function that
	// restores them; nil if there are none.
	Snapshot(ctx context.Context) (restore func(context.Context) error, err error)

	// Served reads what the kernel serves, without changes.
	Served(ctx context.Context) (backends.Served, error)
	// Read returns what an artifact serves; it fails for another backend's artifact.
	Read(a backends.Artifact) (backends.Served, error)
}

// Plan is a set of changes for the kernel it was made for.
type Plan interface {
	// Empty reports whether the kernel already serves what it should. There may
	// still be steps, which clean up.
	Empty() bool
	// Steps describes the changes in order, one line each.
	Steps() []string
	// FromNothing reports whether the kernel had no rules of the backend.
	FromNothing() bool
	// Apply executes the plan. If it fails, the kernel has its previous rules, or
	// rules that an apply of either artifact repairs.
	Apply(ctx context.Context) error
}

// ErrWhole says that a change needs the whole artifact.
var ErrWhole = errors.New("the whole artifact is needed for this change")

// Composed is a dataplane that serves together with the rules of another backend, which
// its artifacts contain. Plans and the held state concern both; Left, Clean and Snapshot
// only what is its own, because the other backend has them for the rest.
type Composed interface {
	// With is the name of the other backend.
	With() string
}

// PolicyChanger is a dataplane that can also compare a policy with the held one.
type PolicyChanger interface {
	// ChangePolicy is Change with a fragment after that also has the whole
	// policy, which before lacks: it replaces the held policy.
	ChangePolicy(before, after backends.Artifact) (Plan, error)
}

// Sealer is a dataplane that can prove later, without reading its rules, that nothing has
// changed them. A seal is for a later process; within one, the held state knows more.
type Sealer interface {
	// Seal describes the rules, which are those of an artifact; nil if they are not known
	// to be the kernel's, or if another program has changed rules since they were.
	Seal(have backends.Artifact) ([]byte, error)
	// Trust has the next Plan take for granted what a seal proves. If it proves nothing,
	// that plan reads everything.
	Trust(seal []byte)
}

// Recorder is a dataplane that needs less than all files of an artifact to apply it again.
type Recorder interface {
	// Recorded returns what a record is to keep of an artifact.
	Recorded(backends.Artifact) backends.Artifact
}

// Programmed is a dataplane with programs that the kernel runs.
type Programmed interface {
	// Programs lists those that are attached.
	Programs(ctx context.Context) ([]backends.ServedProgram, error)
}

// Fingerprinter is a dataplane that can tell cheaply whether its rules in the kernel
// have changed, though not how.
type Fingerprinter interface {
	// Fingerprint changes with every change of the rules, by any process.
	Fingerprint(ctx context.Context) (string, error)
}

// Connected is a dataplane that translates sockets, so that connection tracking does not
// know where they were sent.
type Connected interface {
	// EndSockets closes the connected UDP sockets for which stale returns true of the
	// Service's address and the endpoint's, and returns their number. Where the kernel
	// cannot do it there are none.
	EndSockets(stale func(service, endpoint netip.AddrPort) bool) (int, error)
}

// Guarded is a dataplane that enforces policies at the interfaces of pods, if what was applied
// says so.
type Guarded interface {
	// KeepInterfaces guards interfaces that come, until ctx ends: it looks when one comes
	// and every so often. It reports what it did, and errors.
	KeepInterfaces(ctx context.Context, every time.Duration, report func(steps []string, err error)) error
	// Forget ends the connections of pods for which gone returns true of the client, the
	// server and the protocol's number (IPPROTO_*), and returns their number.
	Forget(gone func(client, server netip.AddrPort, protocol uint8) bool) (int, error)
	// Verdicts counts packets by direction and verdict; none where no program is.
	Verdicts() ([]VerdictCount, error)
}

// VerdictCount is how many packets got a verdict at the interfaces of pods.
type VerdictCount struct {
	Direction, Verdict string // "egress" or "ingress"; "denied", "broken", ...
	Packets            uint64
}

// Counting is a dataplane that can count the connections of Service ports.
type Counting interface {
	// Count says whether connections are counted.
	Count(on bool) error
	// Connections returns the counts of those Service ports that have any.
	Connections(of []ir.ServicePort) (map[ir.ServicePort]Connections, error)
}

// Connections are those of one Service port that sockets of this node and its pods opened.
type Connections struct {
	Given   uint64 // were sent to an endpoint
	Refused uint64 // found none
}
