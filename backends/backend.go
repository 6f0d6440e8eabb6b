package backends

import (
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/identity"
)

// Backend turns programs into artifacts. Implementations are pure: no clock, no
// environment, no I/O; equal programs give equal bytes.
type Backend interface {
	// Name is the backend's name on the command line and the name of its
	// directory below a node's.
	Name() string
	// Check reports what this backend cannot express, before anything is
	// emitted. Emit leaves out exactly that.
	Check(*ir.Program) diag.List
	// Emit returns the artifact of a program that [ir.Verify] accepts.
	Emit(*ir.Program) (Artifact, error)
}

// Fragmenter is a backend that emits less for an applier, of a whole program or of a fragment:
// that needs no file that only people read.
type Fragmenter interface {
	// Fragment is Emit without these files.
	Fragment(*ir.Program) (Artifact, error)
}

// Fragment is [Fragmenter.Fragment] of a backend that has it, or else Emit.
func Fragment(b Backend, p *ir.Program) (Artifact, error) {
	if f, ok := b.(Fragmenter); ok {
		return f.Fragment(p)
	}
	return b.Emit(p)
}

// PolicyFollower is a backend that writes a change of policies as what differs.
type PolicyFollower interface {
	// FollowPolicies returns what writes changes of one node's policies. It keeps what it made
	// of the last ones, so each follower of changes has its own.
	FollowPolicies() PolicyChanges
}

// PolicyChanges writes changes of policies, best those that follow each other. It is not safe
// for concurrent use, and programs that it was given must not change.
type PolicyChanges interface {
	// Change emits two fragments of programs, which have whole policies, with those parts of
	// the policies that differ. What is in both artifacts stays, what is in one of them comes
	// or goes, with one exception: a set that is in both has its other elements too.
	Change(before, after *ir.Program) (was, is Artifact, err error)
}

// Check returns the backend's findings about a program, each message with
// the name of the backend.
func Check(b Backend, p *ir.Program) diag.List {
	list := b.Check(p)
	for i := range list {
		list[i].Message = b.Name() + ": " + list[i].Message
	}
	return list
}

// Pools maps the IDs of a program's pools to the pools.
func Pools(p *ir.Program) map[string]*ir.Pool {
	pools := make(map[string]*ir.Pool, len(p.Pools))
	for i := range p.Pools {
		pools[p.Pools[i].ID] = &p.Pools[i]
	}
	return pools
}

// Options change how rules are written, never what they do.
type Options struct {
	// MasqueradeBit is the bit of the packet mark, 0 to 31, that carries
	// "masquerade this packet" between hooks.
	MasqueradeBit int
	// NoComments omits the names of Services; the rules become smaller and load
	// faster.
	NoComments bool
	// Hash makes the names and numbers in rules; nil is SHA-256. Tests use weak
	// hashes.
	Hash identity.Hash
	// UntrackedPods is of eBPF: its rules of nftables keep connections between pods from
	// being tracked where none needs it. It is right only if every pod's sockets are in
	// the cgroup of the programs from the start.
	UntrackedPods bool
	// PoliciesAtInterfaces is of eBPF: programs at the interfaces of pods enforce policies
	// too, and connections between pods that both have them are not tracked.
	PoliciesAtInterfaces bool
	// DirectPods is of eBPF: these programs also hand packets between such pods from interface
	// to interface, past the node's network stack and all rules in it.
	DirectPods bool
	// Scheduler is how IPVS chooses an endpoint: rr, wrr, lc, sh or mh; "" is
	// rr. Other backends draw at random and ignore it.
	Scheduler string
}

// AtInterfaces reports whether programs at the interfaces of pods enforce policies: a packet
// that no rule sees must be judged by them.
func (o *Options) AtInterfaces() bool { return o.PoliciesAtInterfaces || o.DirectPods }

// DefaultMasqueradeBit is kube-proxy's iptables.masqueradeBit.
const DefaultMasqueradeBit = 14

// DefaultOptions returns kube-proxy's mark bit, with comments.
func DefaultOptions() Options { return Options{MasqueradeBit: DefaultMasqueradeBit} }
